create or replace function api.covers()
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_actor constant text := rules.current_actor();
  v_today constant date := rules.firm_time(now());
begin
  return jsonb_build_object('covers', (
    select coalesce(jsonb_agg(
      jsonb_build_object(
        'cover_id', c.id, 'from_actor_id', c.from_actor_id, 'to_actor_id', b.holder, 'until', c.until,
        'clients', b.clients, 'kept', b.kept, 'made_by', c.made_by, 'made_at', c.made_at,
        'may_end', rules.cover_violation(v_actor, array[c.made_by, c.from_actor_id, b.holder]) is null
      )
      order by c.until, c.id
    ), '[]')
    from (
      select c.*
      from public.covers c
      where c.ended_at is null
        and c.until > v_today - 7
      order by c.until, c.id
      limit 1000
    ) c
    cross join lateral (
      select
        count(*) filter (where b.back is not null) as clients,
        coalesce(max(b.holder), c.to_actor_id) as holder,
        coalesce(jsonb_agg(
          jsonb_build_object('client_id', b.client_id, 'name', k.name, 'fields', b.kept) order by b.client_id
        ) filter (where b.kept is not null), '[]') as kept
      from rules.covered(c.batch) b
      join public.clients k on k.id = b.client_id
    ) b
    where b.clients > 0
      or b.kept <> '[]'
  ));
end
$$;

comment on function api.covers() is
'List who covers for whom until a day.
Any actor can read. A cover is listed while it has clients to give back, and for a week after it ended if it kept something. Returns {covers}, at most 1,000, by day. Of each cover_id, from_actor_id, to_actor_id, until (the day on which the
clients are given back), clients (how many will be), kept (clients of which an actor changed what was handed over, so it stays: client_id,
name, fields), made_by, made_at and may_end (whether the caller may end it).';
