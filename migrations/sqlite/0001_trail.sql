-- The audit trail. Everything here is append-only; disclosures alone may be deleted, which leaves their commitments in the leaves.
create table meta (key text primary key, value text not null) strict;

create table people (number integer primary key autoincrement, person text not null unique) strict;

create table records (
  position integer primary key autoincrement,
  id text not null unique,
  leaf blob not null check (length(leaf) <= 16384),
  leaf_hash text not null,
  kind text not null,
  recorded integer not null,
  person integer references people (number),
  targets text not null,
  command text,
  outcome text,
  operation text,
  invocation text
) strict;
create index records_of_operation on records (operation) where operation is not null;
create index records_by_time on records (recorded);

create table record_targets (record_id text not null references records (id), service text not null, environment text not null,
  primary key (record_id, service, environment)) strict;
create index records_of_target on record_targets (service, environment);

create table disclosures (record_id text not null references records (id), path text not null, salt blob not null, value text not null,
  primary key (record_id, path)) strict;

create table trail_leaves (number integer primary key check (number >= 0), record_id text not null unique references records (id),
  leaf_hash text not null) strict;
create table trail_hashes (position integer primary key check (position >= 0), hash text not null) strict;
create table checkpoints (size integer primary key, root text not null, note text not null, at integer not null) strict;
create table texts (digest text primary key, body text not null) strict;

create trigger records_kept before update on records begin select raise(abort, 'records are append-only'); end;
create trigger records_stay before delete on records begin select raise(abort, 'records are append-only'); end;
create trigger record_targets_kept before update on record_targets begin select raise(abort, 'records are append-only'); end;
create trigger record_targets_stay before delete on record_targets begin select raise(abort, 'records are append-only'); end;
create trigger disclosures_kept before update on disclosures begin select raise(abort, 'disclosures never change'); end;
create trigger trail_leaves_kept before update on trail_leaves begin select raise(abort, 'the trail is append-only'); end;
create trigger trail_leaves_stay before delete on trail_leaves begin select raise(abort, 'the trail is append-only'); end;
create trigger trail_hashes_kept before update on trail_hashes begin select raise(abort, 'the trail is append-only'); end;
create trigger trail_hashes_stay before delete on trail_hashes begin select raise(abort, 'the trail is append-only'); end;
create trigger checkpoints_kept before update on checkpoints begin select raise(abort, 'checkpoints are append-only'); end;
create trigger checkpoints_stay before delete on checkpoints begin select raise(abort, 'checkpoints are append-only'); end;
create trigger texts_kept before update on texts begin select raise(abort, 'texts are append-only'); end;
create trigger texts_stay before delete on texts begin select raise(abort, 'texts are append-only'); end;
create trigger people_kept before update on people begin select raise(abort, 'numbers of people never change'); end;
create trigger people_stay before delete on people begin select raise(abort, 'numbers of people never change'); end;
