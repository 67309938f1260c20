-- Clients that owe the month of the newest roll, and whose close it could not open.
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
        '%s clients owe the close of %s, and it is not open: %s', count(*), o.close_period,
        string_agg(format('%s (%s)', o.slug, o.why), ', ' order by o.client_id) filter (where o.nth <= 20)
      ),
      'move them to weekly, and the next hourly start opens it; open the close of one that is rolled_back or left'
    from ops.not_opened() o
    where o.why <> 'still_closing'
    group by o.close_period, o.run_id;
end
$$;
