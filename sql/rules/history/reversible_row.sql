-- The history row that an actor may roll back now, or a refusal. The client is locked, so that what stands stands.
create or replace function rules.reversible_row(
  actor_id   text,
  client     rules.client_state,
  history_id bigint
)
returns public.stage_history
language plpgsql
volatile
as $$
#variable_conflict use_variable
declare
  v_facts    constant jsonb := jsonb_build_object('client_id', client.id, 'history_id', history_id);
  v_row      public.stage_history;
  v_missing  rules.violation;
  v_blocking bigint;
begin
  v_missing := rules.missing_permission(
    actor_id, 'can_admin', client_id => client.id, from_stage => client.stage, service_tier => client.service_tier
  );
  if v_missing is not null then
    perform rules.refuse_all(array[v_missing], jsonb_build_object('client_id', client.id));
  end if;

  select * into v_row from public.stage_history h where h.id = history_id and h.client_id = client.id;
  if v_row.id is null then
    perform rules.refuse('history_not_found', v_facts);
  end if;
  if v_row.trigger_type = 'rollback' or v_row.version = 0
    or (v_row.to_stage is null and v_row.flag_added is null and v_row.flag_removed is null)
  then
    perform rules.refuse('not_reversible', v_facts);
  end if;
  if rules.is_rolled_back(history_id) then
    perform rules.refuse('already_rolled_back', v_facts);
  end if;
  if v_row.to_stage is not null and not client.active then
    perform rules.refuse('client_inactive', jsonb_build_object('client_id', client.id));
  end if;

  -- A later row of the same thing stands on this one, unless it was rolled back or is a rollback itself.
  select h.id
  into v_blocking
  from public.stage_history h
  where h.client_id = client.id
    and h.version > v_row.version
    and case
          when v_row.to_stage is not null then h.to_stage is not null and h.trigger_type <> 'rollback'
          -- a move takes `stuck` along, and so does a move's rollback
          else coalesce(h.flag_added, h.flag_removed) = coalesce(v_row.flag_added, v_row.flag_removed)
            and (h.trigger_type <> 'rollback' or h.to_stage is not null)
        end
    and not rules.is_rolled_back(h.id)
  order by h.version desc
  limit 1;
  if v_blocking is not null then
    perform rules.refuse('rollback_blocked', v_facts || jsonb_build_object('blocking_history_id', v_blocking));
  end if;
  return v_row;
end
$$;
