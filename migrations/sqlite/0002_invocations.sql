-- What people said, from the moment it is accepted. An inbox key names one human act, however often it is delivered.
create table inbox (key text primary key, receipt text not null, received integer not null) strict;
create index inbox_by_age on inbox (received);

create table invocations (
  id text primary key,
  state text not null check (state in ('accepted', 'answered', 'planned', 'refused', 'failed')),
  body text not null,
  received integer not null,
  summary text,
  lease_owner text,
  lease_until integer not null default 0,
  fence integer not null default 0,
  attempts integer not null default 0
) strict;
create index invocations_open on invocations (received) where state = 'accepted';
