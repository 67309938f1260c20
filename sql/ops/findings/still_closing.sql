-- Clients that were still in an earlier month's close when the newest close opened, and have not left it
-- since.
create or replace function ops.still_closing()
returns setof ops.finding
language plpgsql
stable
as $$
begin
  return query
    select
      'still_closing', 'warning',
      jsonb_build_object('run_id', r.id, 'number', r.number, 'clients', behind.clients),
      format(
        '%s clients were still closing when the close of %s opened; now still: %s',
        r.number, to_char(rules.firm_time(r.due_at), 'YYYY-MM'),
        (select string_agg(c ->> 'slug', ', ') from jsonb_array_elements(behind.clients) c)
      ),
      'finish their close, or pause them; those that come back to weekly in time are rolled at the next month-end'
    from (
      select newest.id, newest.due_at, newest.started_at, newest.counts -> 'still_closing' as named,
        (newest.counts #>> '{still_closing,number}')::bigint as number
      from jobs.catalog() c
      cross join lateral (
        select run.*
        from public.job_runs run
        where run.job = c.job and run.outcome in ('done', 'failed')
        order by run.due_at desc
        limit 1
      ) newest
      where newest.counts ? 'still_closing'
    ) r
    cross join lateral (
      select jsonb_agg(n.client || jsonb_build_object('slug', c.slug) order by (n.client ->> 'id')::bigint) as clients
      from jsonb_array_elements(r.named -> 'clients') as n (client)
      join public.clients c on c.id = (n.client ->> 'id')::bigint
      where c.active
        and coalesce(c.returning_to_stage, c.stage) in ('eom_close', 'eom_review')
        and not exists (
          select
          from public.stage_history h
          where h.client_id = c.id
            and h.occurred_at > r.started_at
            and h.to_stage not in ('eom_close', 'eom_review', 'paused_client', 'paused_internal')
        )
    ) behind
    where behind.clients is not null;
end
$$;
