-- Operations: plans on their way to being done. The table of legal transitions repeats OperationState::after.
create table operations (
  number bigint generated always as identity primary key,
  id text not null unique,
  invocation text not null references invocations (id),
  body text not null,
  state text not null check (state in ('waiting_approval', 'queued', 'running', 'succeeded', 'failed', 'rolled_back', 'cancelled',
    'expired', 'denied', 'unknown')),
  urgent boolean not null,
  created bigint not null,
  expires_at bigint not null,
  started_at bigint,
  finished_at bigint,
  phase text,
  outcome text,
  cancel_requested boolean not null default false,
  lease_owner text,
  lease_until bigint not null default 0,
  fence bigint not null default 0,
  attempts bigint not null default 0
);
create index operations_open on operations (state) where state in ('waiting_approval', 'queued', 'running', 'unknown');
create index operations_of_invocation on operations (invocation);

create table operation_targets (operation text not null references operations (id), service text not null, environment text not null,
  holding boolean not null default false, primary key (operation, service, environment));
create unique index one_holder_per_target on operation_targets (service, environment) where holding;
create index operations_of_target on operation_targets (service, environment);

create table approvals (operation text not null references operations (id), person text not null, identity text not null,
  digest text not null, at bigint not null, voided_at bigint, primary key (operation, person));

create function operation_follows_the_table() returns trigger language plpgsql as $$
begin
  if old.state <> new.state and not (
    (old.state = 'waiting_approval' and new.state in ('queued', 'denied', 'expired', 'cancelled'))
    or (old.state = 'queued' and new.state in ('running', 'cancelled', 'expired', 'failed'))
    or (old.state = 'running' and new.state in ('succeeded', 'failed', 'rolled_back', 'cancelled', 'unknown'))
    or (old.state = 'unknown' and new.state in ('succeeded', 'failed', 'cancelled'))) then
    raise exception 'an operation cannot go from % to %', old.state, new.state;
  end if;
  return new;
end $$;
create trigger operations_follow_the_table before update of state on operations
  for each row execute function operation_follows_the_table();
