-- Where a lock was taken or a freeze pulled, so that its end can be told there.
alter table locks add column room text;
alter table freezes add column room text;
