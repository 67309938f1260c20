-- The work of a run in one row: the steps, each one kind of change, how many clients each has, and the ids of all
-- of them, step after step. The ids are all that is kept in memory.
create or replace function jobs.steps(run_id bigint)
returns table (
  actions    text[],
  words      text[],
  periods    text[],
  sizes      integer[],
  client_ids bigint[]
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_run public.job_runs := (select r from public.job_runs r where r.id = run_id);
begin
  return query
    with changes as materialized (
      select ch.* from jobs.changes(v_run.job, v_run.due_at, v_run.as_of) ch
    ),
    kinds as (
      select ch.action, ch.word, ch.period, count(*)::integer as size from changes ch group by 1, 2, 3
    )
    select
      array_agg(k.action order by k.action, k.word, k.period),
      array_agg(k.word order by k.action, k.word, k.period),
      array_agg(k.period order by k.action, k.word, k.period),
      array_agg(k.size order by k.action, k.word, k.period),
      (select array_agg(ch.client_id order by ch.action, ch.word, ch.period, ch.client_id) from changes ch)
    from kinds k;
end
$$;
