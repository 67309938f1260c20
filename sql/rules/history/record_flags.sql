-- AFTER UPDATE STATEMENT on clients: judge every flag that the statement set or cleared, then record it.
create or replace function rules.record_flags()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set enable_nestloop = off  -- as in record_moves
set jit = off
as $$
declare
  v_change    jsonb   := rules.change_at_hand('{flags,any}');
  v_each      boolean;
  v_alike     record;
  v_refusals  jsonb;
begin
  if v_change is null then
    return null;
  end if;
  v_each := rules.judges_each(v_change);

  -- GUARD
  if not v_change ? 'rolls_back' then
    for v_alike in
      select
        min(n.id) as client_id,
        count(*) as clients,
        o.stage,
        o.service_tier,
        coalesce(f.added, f.removed) as flag
      from new_clients n
      join old_clients o on o.id = n.id
      cross join lateral rules.flag_changes(o.flags, n.flags, n.stage <> o.stage) f
      where n.flags <> o.flags
      group by 3, 4, 5, case when v_each then n.id end
    loop
      v_refusals := rules.flag_refusals(
        v_change ->> 'actor_id', v_alike.client_id, v_alike.stage, v_alike.flag, v_alike.service_tier
      );
      if v_refusals is not null then
        perform rules.refuse_all(v_refusals, jsonb_build_object(
          'client_id', v_alike.client_id, 'clients', v_alike.clients
        ));
      end if;
    end loop;
  end if;

  -- ACT: the versions after the move's
  insert into public.stage_history (
    client_id, version, flag_added, flag_removed,
    actor_type, actor_id, channel, on_behalf_of, triggered_by, trigger_type, reason, payload, external_id
  )
  select
    n.id,
    o.version + (n.stage <> o.stage)::integer + f.ordinal,
    f.added,
    f.removed,
    stamp.*
  from new_clients n
  join old_clients o on o.id = n.id
  cross join lateral rules.flag_changes(o.flags, n.flags, n.stage <> o.stage) f
  cross join lateral rules.history_stamp(v_change) stamp
  where n.flags <> o.flags;

  return null;
end
$$;
