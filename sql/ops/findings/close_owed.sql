-- Clients that owe the month of the newest roll, and whose close it can't open. One that is ready is opened by the next
-- hourly start; if that doesn't run, job_overdue or job_failed report it.
create or replace function ops.close_owed()
returns setof ops.finding
language plpgsql
stable
as $$
begin
  return query
    select
      'close_owed', 'warning',
      jsonb_build_object('close_period', o.close_period, 'run_id', o.run_id, 'number', count(*), 'clients', jsonb_agg(
        jsonb_build_object('id', o.client_id, 'slug', o.slug, 'why', o.why) order by o.client_id
      ) filter (where o.nth <= 100)),
      format(
        '%s %s the close of %s, and it is not open: %s%s',
        count(*), case count(*) when 1 then 'client owes' else 'clients owe' end, o.close_period,
        string_agg(format('%s (%s)', o.slug, replace(o.why, '_', ' ')), ', ' order by o.client_id) filter (where o.nth <= 20),
        case when count(*) > 20 then format(' and %s more', count(*) - 20) end
      ),
      'move them to weekly, and the next hourly start opens it; open the close of one that was rolled back or that left it'
    from ops.not_opened() o
    where o.why not in ('still_closing', 'ready')
    group by o.close_period, o.run_id;
end
$$;
