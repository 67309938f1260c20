-- Put every occurrence between the newest on the ledger and this one there too: hourly and daily ones as one gap,
-- since the next run makes up for them; monthly ones each by itself.
create or replace function jobs.record_missed(
  job    text,
  due_at timestamptz,
  as_of  timestamptz
)
returns void
language plpgsql
volatile
as $$
declare
  v_missed timestamptz := jobs.first_missed(job, due_at);
  v_number bigint;
begin
  if v_missed is null then
    return;
  end if;
  if jobs.require_job(job) = 'monthly' then
    while v_missed < due_at loop
      perform jobs.skip_month(job, v_missed, as_of);
      v_missed := jobs.next_due(job, v_missed);
    end loop;
    return;
  end if;

  v_number := jobs.missed_between(job, v_missed, due_at);
  perform jobs.record_skipped(
    job, v_missed, as_of,
    jsonb_build_object('missed', v_number, 'until', jobs.latest_due(job, due_at - interval '1 microsecond')),
    format(
      'missed: %s %s from %s to %s; the run due on %s does what of %s still is to be done',
      v_number,
      case v_number when 1 then 'run' else 'runs' end,
      to_char(rules.firm_time(v_missed), 'YYYY-MM-DD HH24:MI'),
      to_char(rules.firm_time(jobs.latest_due(job, due_at - interval '1 microsecond')), 'YYYY-MM-DD HH24:MI'),
      to_char(rules.firm_time(due_at), 'YYYY-MM-DD HH24:MI'),
      case v_number when 1 then 'it' else 'them' end
    )
  );
end
$$;
