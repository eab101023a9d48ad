-- What chats tell of accounts beyond the configuration: whose they are by a confirmed e-mail address, and which were deactivated.
create table accounts (identity text primary key, person text, closed integer not null default 0 check (closed in (0, 1)),
  changed integer not null) strict;

-- Until when each chat was listened to, so that a gap is noticed by whoever listens next.
create table hearings (platform text primary key, until integer not null) strict;

-- Which checkpoint was posted last to each room that anchors the trail.
create table room_anchors (room text primary key, size integer not null, posted integer not null) strict;
