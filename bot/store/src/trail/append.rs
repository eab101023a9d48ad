//! The statements that write a record: each is one trip to the database. SQLite takes several statements at once, whose parameters are the
//! same; PostgreSQL takes one, of several parts.

/// A record, what it is about, what is disclosed of it, its number and the tree's new hashes.
pub(super) const SQLITE: &str = "\
    insert into records (id, leaf, leaf_hash, kind, recorded, person, targets, command, outcome, operation, invocation) \
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11); \
    insert into record_targets (record_id, service, environment) \
        select $1, row.value ->> 0, row.value ->> 1 from json_each($12) as row where true on conflict do nothing; \
    insert into disclosures (record_id, path, salt, value) \
        select $1, row.value ->> 0, unhex(row.value ->> 1), row.value ->> 2 from json_each($13) as row; \
    insert into trail_leaves (number, record_id, leaf_hash) values ($14, $1, $3); \
    insert into trail_hashes (position, hash) select $15 + hash.key, hash.value from json_each($16) as hash";

/// A record, what it is about and what is disclosed of it. Its number is the sequencer's.
pub(super) const POSTGRES: &str = "\
    with record as (insert into records (id, leaf, leaf_hash, kind, recorded, person, targets, command, outcome, operation, invocation) \
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)), \
    about as (insert into record_targets (record_id, service, environment) \
        select $1, row.value ->> 0, row.value ->> 1 from json_array_elements($12::json) as row (value) on conflict do nothing) \
    insert into disclosures (record_id, path, salt, value) \
        select $1, row.value ->> 0, decode(row.value ->> 1, 'hex'), row.value ->> 2 from json_array_elements($13::json) as row (value)";

/// Numbers of records, and the tree's new hashes.
pub(super) const NUMBER_IN_SQLITE: &str = "\
    insert into trail_leaves (number, record_id, leaf_hash) \
        select row.value ->> 0, row.value ->> 1, row.value ->> 2 from json_each($1) as row; \
    insert into trail_hashes (position, hash) select row.value ->> 0, row.value ->> 1 from json_each($2) as row";

/// The same.
pub(super) const NUMBER_IN_POSTGRES: &str = "\
    with numbered as (insert into trail_leaves (number, record_id, leaf_hash) \
        select (row.value ->> 0)::bigint, row.value ->> 1, row.value ->> 2 from json_array_elements($1::json) as row (value)) \
    insert into trail_hashes (position, hash) \
        select (row.value ->> 0)::bigint, row.value ->> 1 from json_array_elements($2::json) as row (value)";
