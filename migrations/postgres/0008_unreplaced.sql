-- PostgreSQL has no `insert or replace`: the triggers that guard updates and deletions are asked in every case.
select 1;
