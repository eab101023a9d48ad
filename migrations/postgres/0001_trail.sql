-- The audit trail. Everything here is append-only; disclosures alone may be deleted, which leaves their commitments in the leaves.
create table meta (key text primary key, value text not null);

create table people (number bigint generated always as identity primary key, person text not null unique);

create table records (
  position bigint generated always as identity primary key,
  id text not null unique,
  leaf bytea not null check (length(leaf) <= 16384),
  leaf_hash text not null,
  kind text not null,
  recorded bigint not null,
  person bigint references people (number),
  targets text not null,
  command text,
  outcome text,
  operation text,
  invocation text
);
create index records_of_operation on records (operation) where operation is not null;
create index records_by_time on records (recorded);

create table record_targets (record_id text not null references records (id), service text not null, environment text not null,
  primary key (record_id, service, environment));
create index records_of_target on record_targets (service, environment);

create table disclosures (record_id text not null references records (id), path text not null, salt bytea not null, value text not null,
  primary key (record_id, path));

create table trail_leaves (number bigint primary key check (number >= 0), record_id text not null unique references records (id),
  leaf_hash text not null);
create table trail_hashes (position bigint primary key check (position >= 0), hash text not null);
create table checkpoints (size bigint primary key, root text not null, note text not null, at bigint not null);
create table texts (digest text primary key, body text not null);

create function append_only() returns trigger language plpgsql as $$
begin raise exception '% is append-only', tg_table_name; end $$;

create trigger records_kept before update or delete on records for each row execute function append_only();
create trigger record_targets_kept before update or delete on record_targets for each row execute function append_only();
create trigger disclosures_kept before update on disclosures for each row execute function append_only();
create trigger trail_leaves_kept before update or delete on trail_leaves for each row execute function append_only();
create trigger trail_hashes_kept before update or delete on trail_hashes for each row execute function append_only();
create trigger checkpoints_kept before update or delete on checkpoints for each row execute function append_only();
create trigger texts_kept before update or delete on texts for each row execute function append_only();
create trigger people_kept before update or delete on people for each row execute function append_only();

create trigger records_untruncated before truncate on records for each statement execute function append_only();
create trigger record_targets_untruncated before truncate on record_targets for each statement execute function append_only();
create trigger disclosures_untruncated before truncate on disclosures for each statement execute function append_only();
create trigger trail_leaves_untruncated before truncate on trail_leaves for each statement execute function append_only();
create trigger trail_hashes_untruncated before truncate on trail_hashes for each statement execute function append_only();
create trigger checkpoints_untruncated before truncate on checkpoints for each statement execute function append_only();
create trigger texts_untruncated before truncate on texts for each statement execute function append_only();
create trigger people_untruncated before truncate on people for each statement execute function append_only();
