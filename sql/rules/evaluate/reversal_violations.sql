-- EVALUATE rolling back a history row: the rule that forbids it; null if none does. The caller holds the client's lock,
-- so no later change can appear meanwhile.
create or replace function rules.reversal_violations(
  client rules.client_state,
  undone public.stage_history
)
returns rules.violation[]
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_facts    constant jsonb  := jsonb_build_object('client_id', client.id, 'history_id', undone.id);
  v_fields   constant text[] := array(select jsonb_object_keys(rules.changed_fields(undone)));
  v_blocking bigint;
begin
  if not rules.is_reversible(undone) then
    return array[('not_reversible', v_facts)::rules.violation];
  end if;
  if exists (select from rules.rollback_of(undone.id)) then
    return array[('already_rolled_back', v_facts)::rules.violation];
  end if;
  if undone.to_stage is not null and not (client.fields).active then
    return array[('client_inactive', jsonb_build_object('client_id', client.id))::rules.violation];
  end if;

  -- A later change of the same thing depends on this row, unless it was rolled back or is a rollback itself.
  select h.id
  into v_blocking
  from public.stage_history h
  where h.client_id = client.id
    and h.version > undone.version
    and case
          when undone.to_stage is not null then h.to_stage is not null and h.trigger_type <> 'rollback'
          when v_fields <> '{}' then rules.changed_fields(h.*) ?| v_fields and h.trigger_type <> 'rollback'
          -- a move removes `stuck`, and so does the rollback of a move
          else coalesce(h.flag_added, h.flag_removed) = coalesce(undone.flag_added, undone.flag_removed)
            and (h.trigger_type <> 'rollback' or h.to_stage is not null)
        end
    and not exists (select from rules.rollback_of(h.id))
  order by h.version desc
  limit 1;
  if v_blocking is not null then
    return array[('rollback_blocked', v_facts || jsonb_build_object('blocking_history_id', v_blocking))::rules.violation];
  end if;
  return null;
end
$$;
