-- Record missed occurrences in job_runs as skipped, from `first` until before `before`. Hourly and daily ones are one
-- row, because the next run does their work. Monthly ones are one row each, with the number of clients left unchanged
-- and the command that changes them.
create or replace function jobs.record_missed(
  job    text,
  first  timestamptz,
  before timestamptz,
  number integer,       -- of missed occurrences
  as_of  timestamptz
)
returns void
language plpgsql
volatile
as $$
#variable_conflict use_variable
declare
  v_form     constant text := 'YYYY-MM-DD HH24:MI';
  v_missed   timestamptz := first;
  v_until    timestamptz;
  v_not_done bigint;
  v_counts   jsonb;
  v_said     text;
begin
  while v_missed < before loop
    if (select c.schedule from jobs.catalog(job) c) in ('monthly', 'month_end') then
      v_until := v_missed;
      v_not_done := (
        select coalesce(sum(cardinality(s.client_ids)), 0)
        from jobs.steps(job, v_missed, as_of) s
        where s.action <> 'name'
      );
      v_counts := jsonb_build_object('not_done', v_not_done);
      v_said := format(
        'missed: was due on %s and not run by %s; %s %s left as they were; '
          'to do it all the same, run it as of then: atlas-stage job run %s --as-of %s',
        to_char(rules.firm_time(v_missed), v_form),
        to_char(rules.firm_time(as_of), v_form),
        v_not_done,
        case v_not_done when 1 then 'client was' else 'clients were' end,
        job,
        to_char(rules.firm_time(v_missed), 'YYYY-MM-DD"T"HH24:MI')
      );
    else
      v_until := (select o.due_at from jobs.occurrences(job, before - interval '1 microsecond') o);
      v_counts := jsonb_build_object('missed', number, 'until', v_until);
      v_said := format(
        'missed: %s %s from %s to %s; the run due on %s does what of %s still is to be done',
        number,
        case number when 1 then 'run' else 'runs' end,
        to_char(rules.firm_time(v_missed), v_form),
        to_char(rules.firm_time(v_until), v_form),
        to_char(rules.firm_time(before), v_form),
        case number when 1 then 'it' else 'them' end
      );
    end if;

    insert into public.job_runs (job, due_at, as_of, started_at, finished_at, outcome, counts, error)
    values (job, v_missed, as_of, clock_timestamp(), clock_timestamp(), 'skipped', v_counts, v_said)
    on conflict on constraint job_runs_occurrence_uniq do nothing;
    v_missed := (select o.next_due from jobs.occurrences(job, v_until) o);
  end loop;
end
$$;
