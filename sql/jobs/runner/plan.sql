create or replace function jobs.plan(
  job   text,
  as_of timestamptz default null
)
returns table (
  client_id  bigint,
  slug       text,
  name       text,
  change     text,   -- 'weekly -> eom_close', '+stuck', '-stuck', 'given back'
  refused_by text    -- the rule that forbids it; null: the client would be changed
)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_as_of constant timestamptz := coalesce(as_of, now());
  v_due   record;
begin
  select * into v_due from jobs.state_of(job, v_as_of);
  if not v_due.too_late then
    return query
      select p.*
      from jobs.changes_of(job, v_due.due_at, array(select s from jobs.steps(job, v_due.due_at, v_as_of) s)) p;
  end if;
end
$$;

comment on function jobs.plan(text, timestamptz) is
'List exactly the clients that a run of this job would change, and those that it would skip because a rule forbids it.
job: one of jobs.catalog(). as_of: the time to use as now.
Errors: unknown_job, moment_not_valid (422).';
