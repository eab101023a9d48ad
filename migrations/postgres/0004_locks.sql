-- Locks, freezes and what is remembered of releases. A lock's token only ever grows on its target.
create table locks (service text not null, environment text not null, token bigint not null, owner text not null, reason text not null,
  at bigint not null, expires_at bigint not null, operation text, released_at bigint,
  primary key (service, environment, token));
create unique index one_lock_per_target on locks (service, environment) where released_at is null;

create table freezes (id bigint generated always as identity primary key, service text, environment text, owner text not null, reason text not null,
  at bigint not null, expires_at bigint not null, lifted_at bigint);
create index freezes_open on freezes (expires_at) where lifted_at is null;

create table version_holds (service text not null, environment text not null, digest text not null, version text not null,
  operation text not null, at bigint not null, released_at bigint, primary key (service, environment, digest));

create table releases (id bigint generated always as identity primary key, service text not null, environment text not null, version text not null,
  digest text not null, operation text not null unique, person text not null, healthy_at bigint not null);
create index releases_of_target on releases (service, environment, id);
