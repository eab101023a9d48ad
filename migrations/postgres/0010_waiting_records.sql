-- Records that wait for their number, in the order in which they were written, so that the sequencer never searches the whole trail for
-- them. The database keeps the list by itself, also for a program that does not know of it. It is no part of the trail: a verification
-- looks for records without a number where the records are.
-- No replica of an older version writes a record or a number while the list is made.
lock table records, trail_leaves in share row exclusive mode;
create table waiting_records (position bigint primary key, record_id text not null unique references records (id), recorded bigint not null);
insert into waiting_records select position, id, recorded from records r
  where not exists (select 1 from trail_leaves l where l.record_id = r.id);

create function record_waits() returns trigger language plpgsql as $$
begin
  insert into waiting_records (position, record_id, recorded) values (new.position, new.id, new.recorded);
  return null;
end $$;
create trigger records_wait after insert on records for each row execute function record_waits();

create function record_is_numbered() returns trigger language plpgsql as $$
begin
  delete from waiting_records where record_id = new.record_id;
  return null;
end $$;
create trigger trail_leaves_number after insert on trail_leaves for each row execute function record_is_numbered();
