-- A monthly occurrence that was missed for longer than the catch-up days: say what was not done, and how to do it.
create or replace function jobs.skip_month(
  job    text,
  due_at timestamptz,
  as_of  timestamptz
)
returns void
language plpgsql
volatile
as $$
declare
  v_not_done bigint := (select count(*) from jobs.changes(job, due_at, as_of));
begin
  perform jobs.record_skipped(
    job, due_at, as_of,
    jsonb_build_object('not_done', v_not_done),
    format(
      'missed: was due on %s and not run by %s; %s %s left as they were; to do it all the same, run it as of then: atlas-stage job run %s --as-of %s',
      to_char(rules.firm_time(due_at), 'YYYY-MM-DD HH24:MI'),
      to_char(rules.firm_time(as_of), 'YYYY-MM-DD HH24:MI'),
      v_not_done,
      case v_not_done when 1 then 'client was' else 'clients were' end,
      job,
      to_char(rules.firm_time(due_at), 'YYYY-MM-DD"T"HH24:MI')
    )
  );
end
$$;
