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
  v_row     public.stage_history;
  v_missing rules.violation;
begin
  v_missing := rules.missing_permission(
    actor_id, 'can_admin', client_id => client.id, from_stage => client.stage, service_tier => client.service_tier
  );
  if v_missing is not null then
    perform rules.refuse_all(array[v_missing], jsonb_build_object('client_id', client.id));
  end if;

  select h.* into v_row from public.stage_history h where h.id = history_id and h.client_id = client.id;
  if v_row.id is null then
    perform rules.refuse('history_not_found', jsonb_build_object('client_id', client.id, 'history_id', history_id));
  end if;
  perform rules.refuse_all(rules.reversal_violations(client, v_row));
  return v_row;
end
$$;
