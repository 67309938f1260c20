create or replace function jobs.catalog(only_job text default null)
returns table (
  job         text,
  schedule    text,      -- hourly, daily (at midnight), monthly, or month_end: monthly, then hourly until the next
  day         integer,   -- for a monthly job: its day; null: the last business day
  at          time,      -- for a monthly job: the hour
  about       text[],    -- the stage that the job moves clients to, or the flags that it sets and clears
  description text
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
begin
  return query
    select known.*
    from public.stage_settings s
    cross join lateral (values
      (
        'stage_autoroll_eom_open', 'month_end', null::integer, s.eom_open_at, array['eom_close'],
        format(
          'last business day, %s, then hourly: clients that owe the month''s close go from weekly to eom_close',
          to_char(s.eom_open_at, 'HH24:MI')
        )
      ),
      (
        'flag_autoclear_advisory_due', 'monthly', s.advisory_clear_day, time '00:00', array['advisory_due'],
        format('day %s: clears advisory_due', s.advisory_clear_day)
      ),
      (
        'stage_stuck_detector', 'hourly', null, null, array['stuck'],
        'sets stuck where a client is longer in its stage than its SLA; clears it elsewhere'
      ),
      (
        'flag_sales_tax_due', 'daily', null, null, array['sales_tax_due'],
        format('sets sales_tax_due %s days before a filing is due, once a period', s.sales_tax_lead_days)
      ),
      (
        'flag_seasonal', 'daily', null, null, array(select f.flag from public.stage_seasons f),
        'sets and clears the flags of the seasons'
      ),
      (
        'covers_end', 'daily', null, null, '{}',
        'gives clients back on the day when a cover ends'
      )
    ) as known (job, schedule, day, at, about, description)
    where only_job is null
      or known.job = only_job;

  if not found then
    perform rules.refuse('unknown_job', jsonb_build_object(
      'job', left(only_job, 200), 'known', (select jsonb_agg(c.job) from jobs.catalog() c)
    ));
  end if;
end
$$;

comment on function jobs.catalog(text) is
'List the jobs and when each is due: job, schedule, day, at, about and description. only_job: only this one.
A new job is a row here and a function with its name in definitions/. tools/cron_files.py writes its files for schedulers.
Errors: unknown_job (422).';
