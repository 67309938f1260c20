-- The advisory lock that a job holds while it works: two at once are one too many.
create or replace function jobs.lock_key(job text)
returns bigint
language sql
immutable
parallel safe
return hashtextextended('atlas-stage job ' || job, 0);
