-- What people said, from the moment it is accepted. An inbox key names one human act, however often it is delivered.
create table inbox (key text primary key, receipt text not null, received bigint not null);
create index inbox_by_age on inbox (received);

create table invocations (
  id text primary key,
  state text not null check (state in ('accepted', 'answered', 'planned', 'refused', 'failed')),
  body text not null,
  received bigint not null,
  summary text,
  lease_owner text,
  lease_until bigint not null default 0,
  fence bigint not null default 0,
  attempts bigint not null default 0
);
create index invocations_open on invocations (received) where state = 'accepted';
