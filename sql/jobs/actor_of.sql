-- A job is an actor like any other.
create or replace function jobs.actor_of(job text)
returns text
language sql
immutable
parallel safe
return 'system:cron:' || job;
