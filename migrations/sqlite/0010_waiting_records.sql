-- Records that wait for their number. Here a record has its number at once, so that none ever waits: the table is there for the one SQL
-- text of both databases.
create table waiting_records (position integer primary key, record_id text not null unique references records (id), recorded integer not null) strict;
