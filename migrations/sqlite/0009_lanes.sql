-- What cannot wait in an incident has a lane of its own from the moment it is accepted; and a room's first waiting message is found by an
-- index, however long its queue is.
alter table invocations add column urgent integer not null default 0;
create index messages_in_order on messages (room, urgent desc, id) where done_at is null;
