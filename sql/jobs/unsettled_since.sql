-- The first occurrence that is neither done nor skipped on the ledger, up to this one; what was due before the
-- installation counts from then.
create or replace function jobs.unsettled_since(
  job       text,
  due_at    timestamptz,
  installed timestamptz
)
returns timestamptz
language plpgsql
stable
set enable_sort = off  -- as in jobs.due
as $$
declare
  v_settled timestamptz := (
    select coalesce((r.counts ->> 'until')::timestamptz, r.due_at)
    from public.job_runs r
    where r.job = unsettled_since.job
      and r.due_at <= unsettled_since.due_at
      and r.outcome in ('done', 'skipped')
    order by r.due_at desc
    limit 1
  );
begin
  return greatest(installed, least(due_at, jobs.next_due(job, greatest(installed, v_settled))));
end
$$;
