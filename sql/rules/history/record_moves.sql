-- AFTER UPDATE STATEMENT on clients: judge every move of the statement, then record it.
-- One pass over the transition tables, whoever updated and however many rows.
create or replace function rules.record_moves()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
-- The plan made for one moved client meets a hundred thousand next time: no nested loop over them.
set enable_nestloop = off
-- The price that this puts on what has to be a nested loop would set off the JIT compiler: seconds for one flag.
set jit = off
as $$
declare
  v_change    jsonb   := rules.change_at_hand('{moves,any}');
  v_items     jsonb   := v_change -> 'items';  -- of a bulk call: each client's own context
  v_each      boolean;
  v_alike     record;
  v_refusals  jsonb;
begin
  if v_change is null then
    return null;
  end if;
  v_each := rules.judges_each(v_change);

  -- GUARD: clients that are alike in what the rules ask of them are judged together
  if not v_change ? 'rolls_back' then
    for v_alike in
      select
        min(n.id) as client_id,
        count(*) as clients,
        o.stage as from_stage,
        n.stage as to_stage,
        o.returning_to_stage,
        o.active,
        o.service_tier,
        o.eligible_reviewers,
        coalesce((coalesce(v_items -> n.id::text, v_change) ->> 'override')::boolean, false) as override
      from new_clients n
      join old_clients o on o.id = n.id
      where n.stage <> o.stage
      group by 3, 4, 5, 6, 7, 8, 9, case when v_each then n.id end
    loop
      v_refusals := rules.stage_refusals(
        v_change ->> 'actor_id', v_alike.client_id, v_alike.from_stage, v_alike.to_stage,
        v_alike.returning_to_stage, v_alike.active, v_alike.service_tier, v_alike.eligible_reviewers,
        v_alike.override
      );
      if v_refusals is not null then
        perform rules.refuse_all(v_refusals, jsonb_build_object(
          'client_id', v_alike.client_id, 'clients', v_alike.clients
        ));
      end if;
    end loop;
  end if;

  -- ACT
  insert into public.stage_history (
    client_id, version, from_stage, to_stage, from_entered_at, from_returning_to, flag_added, flag_removed,
    actor_type, actor_id, channel, on_behalf_of, triggered_by, trigger_type, reason, payload, external_id
  )
  select
    n.id,
    o.version + 1,
    o.stage,
    n.stage,
    o.stage_entered_at,
    o.returning_to_stage,
    case when 'stuck' = any (n.flags) and 'stuck' <> all (o.flags) then 'stuck' end,
    case when 'stuck' = any (o.flags) and 'stuck' <> all (n.flags) then 'stuck' end,
    stamp.*
  from new_clients n
  join old_clients o on o.id = n.id
  cross join lateral rules.history_stamp(coalesce(v_items -> n.id::text, v_change)) stamp
  where n.stage <> o.stage;

  return null;
end
$$;
