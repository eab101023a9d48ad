-- `insert or replace` removes the row that is in its way without asking the triggers that guard deletion, unless a connection has
-- switched `recursive_triggers` on. These ask first. Where the bot itself may say a thing twice, the first word stands.
create trigger records_unreplaced before insert on records
  when exists (select 1 from records where position = new.position or id = new.id)
  begin select raise(abort, 'records are append-only'); end;
create trigger record_targets_unreplaced before insert on record_targets
  when exists (select 1 from record_targets where record_id = new.record_id and service = new.service and environment = new.environment)
  begin select raise(ignore); end;
create trigger disclosures_unreplaced before insert on disclosures
  when exists (select 1 from disclosures where record_id = new.record_id and path = new.path)
  begin select raise(abort, 'disclosures never change'); end;
create trigger trail_leaves_unreplaced before insert on trail_leaves
  when exists (select 1 from trail_leaves where number = new.number or record_id = new.record_id)
  begin select raise(abort, 'the trail is append-only'); end;
create trigger trail_hashes_unreplaced before insert on trail_hashes
  when exists (select 1 from trail_hashes where position = new.position)
  begin select raise(abort, 'the trail is append-only'); end;
create trigger checkpoints_unreplaced before insert on checkpoints
  when exists (select 1 from checkpoints where size = new.size)
  begin select raise(ignore); end;
create trigger texts_unreplaced before insert on texts
  when exists (select 1 from texts where digest = new.digest)
  begin select raise(ignore); end;
create trigger people_unreplaced before insert on people
  when exists (select 1 from people where number = new.number or person = new.person)
  begin select raise(ignore); end;
