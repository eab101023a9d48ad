-- What was last told of the service that an operation put live, so that its end is told once, by whichever replica sees it first.
create table watched_targets (service text not null, environment text not null, operation text, since integer,
  well integer not null check (well in (0, 1)), revision integer not null, primary key (service, environment)) strict;
