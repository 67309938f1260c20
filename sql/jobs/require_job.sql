-- The rhythm of a job, or a refusal where there is no such job.
create or replace function jobs.require_job(job text)
returns text
language plpgsql
stable
as $$
declare
  v_rhythm text := (select c.rhythm from jobs.catalog() c where c.job = require_job.job);
begin
  if v_rhythm is null then
    raise exception using
      errcode = 'PT422',
      message = 'no such job',
      detail = jsonb_build_object('rule', 'unknown_job', 'job', left(job, 200), 'known', (
        select jsonb_agg(c.job) from jobs.catalog() c
      ))::text,
      hint = 'use one of the known jobs';
  end if;
  return v_rhythm;
end
$$;
