-- Operations: plans on their way to being done. The table of legal transitions repeats OperationState::after.
create table operations (
  number integer primary key autoincrement,
  id text not null unique,
  invocation text not null references invocations (id),
  body text not null,
  state text not null check (state in ('waiting_approval', 'queued', 'running', 'succeeded', 'failed', 'rolled_back', 'cancelled',
    'expired', 'denied', 'unknown')),
  urgent integer not null,
  created integer not null,
  expires_at integer not null,
  started_at integer,
  finished_at integer,
  phase text,
  outcome text,
  cancel_requested integer not null default 0,
  lease_owner text,
  lease_until integer not null default 0,
  fence integer not null default 0,
  attempts integer not null default 0
) strict;
create index operations_open on operations (state) where state in ('waiting_approval', 'queued', 'running', 'unknown');
create index operations_of_invocation on operations (invocation);

create table operation_targets (operation text not null references operations (id), service text not null, environment text not null,
  holding integer not null default 0, primary key (operation, service, environment)) strict;
create unique index one_holder_per_target on operation_targets (service, environment) where holding;
create index operations_of_target on operation_targets (service, environment);

create table approvals (operation text not null references operations (id), person text not null, identity text not null,
  digest text not null, at integer not null, voided_at integer, primary key (operation, person)) strict;

create trigger operations_follow_the_table before update of state on operations
when old.state <> new.state and not (
    (old.state = 'waiting_approval' and new.state in ('queued', 'denied', 'expired', 'cancelled'))
    or (old.state = 'queued' and new.state in ('running', 'cancelled', 'expired', 'failed'))
    or (old.state = 'running' and new.state in ('succeeded', 'failed', 'rolled_back', 'cancelled', 'unknown'))
    or (old.state = 'unknown' and new.state in ('succeeded', 'failed', 'cancelled')))
begin select raise(abort, 'an operation cannot go there'); end;
