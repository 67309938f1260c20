-- AFTER UPDATE STATEMENT on clients: judge every change of the other fields, then record it.
create or replace function rules.record_fields()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set enable_nestloop = off  -- as in record_moves
set jit = off
as $$
declare
  v_change    jsonb   := rules.change_at_hand('{fields,any}');
  v_each      boolean;
  v_alike     record;
  v_refusals  jsonb;
begin
  if v_change is null then
    return null;
  end if;
  v_each := rules.judges_each(v_change);

  -- GUARD
  for v_alike in
    select
      min(n.id) as client_id,
      count(*) as clients,
      o.stage,
      o.service_tier,
      array(
        select jsonb_object_keys(rules.changed_fields(o::public.clients, n::public.clients))
      ) as fields
    from new_clients n
    join old_clients o on o.id = n.id
    where rules.fields_differ(o::public.clients, n::public.clients)
    group by 3, 4, 5, case when v_each then n.id end
  loop
    v_refusals := rules.field_refusals(
      v_change ->> 'actor_id', v_alike.client_id, v_alike.stage, v_alike.service_tier, v_alike.fields
    );
    if v_refusals is not null then
      perform rules.refuse_all(v_refusals, jsonb_build_object(
        'client_id', v_alike.client_id, 'clients', v_alike.clients
      ));
    end if;
  end loop;

  -- ACT: the last of the versions that this statement takes
  insert into public.stage_history (
    client_id, version,
    actor_type, actor_id, channel, on_behalf_of, triggered_by, trigger_type, reason, external_id, payload
  )
  select
    n.id,
    n.version,
    stamp.actor_type,
    stamp.actor_id,
    stamp.channel,
    stamp.on_behalf_of,
    stamp.triggered_by,
    stamp.trigger_type,
    stamp.reason,
    stamp.external_id,
    stamp.payload
      || jsonb_build_object('changed', rules.changed_fields(o::public.clients, n::public.clients))
  from new_clients n
  join old_clients o on o.id = n.id
  cross join lateral rules.history_stamp(v_change) stamp
  where rules.fields_differ(o::public.clients, n::public.clients);

  return null;
end
$$;
