-- The actor that a scheduled job acts as. SQL, so that the planner inlines it.
create or replace function rules.job_actor(job text)
returns text
language sql
immutable
as $$
  select 'system:cron:' || job
$$;
