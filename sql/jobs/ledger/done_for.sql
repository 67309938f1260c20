-- The clients that a job has changed for a period. It changes each of them once per period, even if a person reversed
-- the change since or job_runs was lost. A run that was rolled back as a whole doesn't count. SQL, so that the planner
-- inlines it. A run looks again after it locked a client, so two runs can't both change it.
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
    and not exists (select from rules.rollback_of(h.id) b where b.payload ? 'rolls_back_run')
$$;
