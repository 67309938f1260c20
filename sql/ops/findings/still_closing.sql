-- Clients that owe the month of the newest roll, and are still in another month's close.
create or replace function ops.still_closing()
returns setof ops.finding
language plpgsql
stable
as $$
begin
  return query
    select
      'still_closing', 'warning',
      jsonb_build_object('close_period', o.close_period, 'run_id', o.run_id, 'number', count(*), 'clients', jsonb_agg(
        jsonb_build_object('id', o.client_id, 'slug', o.slug) order by o.client_id
      ) filter (where o.nth <= 100)),
      format(
        '%s %s still closing another month, so the close of %s is not open: %s%s',
        count(*), case count(*) when 1 then 'client is' else 'clients are' end, o.close_period,
        string_agg(o.slug, ', ' order by o.client_id) filter (where o.nth <= 20),
        case when count(*) > 20 then format(' and %s more', count(*) - 20) end
      ),
      'finish their close; the next hourly start opens the new one'
    from ops.not_opened() o
    where o.why = 'still_closing'
    group by o.close_period, o.run_id;
end
$$;
