-- AFTER UPDATE STATEMENT on clients, for a call that moves one client: judge the move, then record it.
-- What record_moves does for many, without the passes that many rows need.
create or replace function rules.record_move()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_change   jsonb := rules.change_at_hand('{move}');
  v_move     record;
  v_refusals jsonb;
begin
  if v_change is null then
    return null;
  end if;
  select
    o.id, o.stage, o.stage_entered_at, o.returning_to_stage, o.active, o.service_tier, o.eligible_reviewers, o.flags,
    n.stage as to_stage, n.flags as new_flags, n.version as new_version
  into v_move
  from old_clients o, new_clients n
  where n.stage <> o.stage;
  if not found then
    return null;
  end if;

  -- GUARD: a rollback was judged when its row was found reversible
  if not v_change ? 'rolls_back' then
    v_refusals := rules.stage_refusals(
      v_change ->> 'actor_id', v_move.id, v_move.stage, v_move.to_stage, v_move.returning_to_stage, v_move.active,
      v_move.service_tier, v_move.eligible_reviewers, (v_change ->> 'override')::boolean
    );
    if v_refusals is not null then
      perform rules.refuse_all(v_refusals, jsonb_build_object('client_id', v_move.id));
    end if;
  end if;

  -- ACT
  insert into public.stage_history (
    client_id, version, from_stage, to_stage, from_entered_at, from_returning_to, flag_added, flag_removed,
    actor_type, actor_id, channel, on_behalf_of, triggered_by, trigger_type, reason, payload, external_id
  )
  select
    v_move.id,
    v_move.new_version,
    v_move.stage,
    v_move.to_stage,
    v_move.stage_entered_at,
    v_move.returning_to_stage,
    case when 'stuck' = any (v_move.new_flags) and 'stuck' <> all (v_move.flags) then 'stuck' end,
    case when 'stuck' = any (v_move.flags) and 'stuck' <> all (v_move.new_flags) then 'stuck' end,
    stamp.*
  from rules.history_stamp(v_change) stamp;

  return null;
end
$$;
