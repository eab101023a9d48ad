-- The outbox: what is to be said. A card is desired state, sent when its version is ahead; messages are a queue in the order of each room.
create table cards (operation text not null references operations (id), room text not null, asker text, message text not null,
  version bigint not null default 1, sent_version bigint not null default 0, placement text, marker text not null,
  attempts bigint not null default 0, next_at bigint not null default 0, lease_until bigint not null default 0,
  given_up text, primary key (operation, room));
create index cards_unsent on cards (next_at) where version > sent_version and given_up is null;

create table messages (id bigint generated always as identity primary key, room text not null, asker text, message text not null, invocation text, operation text,
  under_card boolean not null, urgent boolean not null, expires_at bigint not null, marker text not null,
  attempts bigint not null default 0, next_at bigint not null default 0, lease_until bigint not null default 0,
  placement text, done_at bigint, given_up text);
create index messages_unsent on messages (room, id) where done_at is null;

create table leases (name text primary key, owner text not null, until bigint not null, fence bigint not null);
