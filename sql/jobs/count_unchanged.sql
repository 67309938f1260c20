-- The counts of a run with `unchanged`: those that the job is about and that were as they should be.
create or replace function jobs.count_unchanged(run public.job_runs)
returns jsonb
language plpgsql
stable
as $$
declare
  v_others bigint;
begin
  select coalesce(sum(value::bigint), 0)
  into v_others
  from jsonb_each_text(run.counts - '{cleared,unchanged,skipped,errors}'::text[]);

  -- A flag that could not be set is not among those that are set; a client that did not move is in the month's.
  if run.job = 'stage_autoroll_eom_open' or run.counts ? 'cleared' then
    v_others := v_others + (
      select coalesce(sum(value::bigint), 0) from jsonb_each_text(coalesce(run.counts -> 'skipped', '{}'))
    );
  end if;
  return run.counts
    || jsonb_build_object('unchanged', greatest(0, jobs.remit(run.job, run.due_at) - v_others));
end
$$;
