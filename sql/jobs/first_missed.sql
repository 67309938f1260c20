-- The first occurrence before this one that is not on the ledger though an earlier one is; null: no gap.
create or replace function jobs.first_missed(
  job    text,
  due_at timestamptz
)
returns timestamptz
language plpgsql
stable
set enable_sort = off  -- as in jobs.due
as $$
declare
  v_next timestamptz;
begin
  select jobs.next_due(r.job, coalesce((r.counts ->> 'until')::timestamptz, r.due_at))
  into v_next
  from public.job_runs r
  where r.job = first_missed.job
    and r.due_at < first_missed.due_at
  order by r.due_at desc
  limit 1;
  return case when v_next < due_at then v_next end;
end
$$;
