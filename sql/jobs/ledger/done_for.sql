-- The clients that a job has changed for a period. It changes each of them once per period, even if the change was
-- reversed since or job_runs was lost; stage_history_job_period_uniq enforces it. SQL, so that the planner inlines it.
-- Look up one client with `where d.client_id = c.id offset 0`, which keeps the planner from an anti-join. Right after a
-- run no statistics know its rows, and a nested loop over all of them ran for 9 minutes at the end of a roll of 40,000.
create or replace function jobs.done_for(
  job    text,
  period text
)
returns table (client_id bigint)
language sql
stable
as $$
  select h.client_id
  from public.stage_history h
  where h.actor_id = rules.job_actor(done_for.job)
    and h.payload ->> 'period' = done_for.period
    and h.channel = 'cron'
    and h.payload ? 'period'
$$;
