-- Locks, freezes and what is remembered of releases. A lock's token only ever grows on its target.
create table locks (service text not null, environment text not null, token integer not null, owner text not null, reason text not null,
  at integer not null, expires_at integer not null, operation text, released_at integer,
  primary key (service, environment, token)) strict;
create unique index one_lock_per_target on locks (service, environment) where released_at is null;

create table freezes (id integer primary key autoincrement, service text, environment text, owner text not null, reason text not null,
  at integer not null, expires_at integer not null, lifted_at integer) strict;
create index freezes_open on freezes (expires_at) where lifted_at is null;

create table version_holds (service text not null, environment text not null, digest text not null, version text not null,
  operation text not null, at integer not null, released_at integer, primary key (service, environment, digest)) strict;

create table releases (id integer primary key autoincrement, service text not null, environment text not null, version text not null,
  digest text not null, operation text not null unique, person text not null, healthy_at integer not null) strict;
create index releases_of_target on releases (service, environment, id);
