create or replace function api.delete_client(
  client_id bigint,
  reason    text
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_context rules.change_context;
  v_client  rules.client_state;
  v_gone    public.deleted_clients;
  v_state      text;
  v_message    text;
  v_constraint text;
  v_table      text;
begin
  -- OPEN
  v_context := rules.open_context(rules.current_actor(), reason, reason_required => true);
  perform rules.require_permission(v_context.actor_id, 'can_admin');

  -- LOCK
  v_client := rules.lock_client(client_id);

  -- EVALUATE
  if exists (select from public.stage_history h where h.client_id = v_client.id and h.version > 0) then
    perform rules.refuse('client_has_history', jsonb_build_object('client_id', client_id, 'version', v_client.version));
  end if;

  -- WRITE: copy the client's row to deleted_clients, then remove it together with its only history row
  insert into public.deleted_clients (client_id, name, slug, history, deleted_by, reason)
  select c.id, c.name, c.slug, to_jsonb(h.*), v_context.actor_id, v_context.reason
  from public.clients c
  join public.stage_history h on h.client_id = c.id
  where c.id = v_client.id
  returning * into v_gone;
  begin
    perform rules.remove_client(v_client.id);
    -- foreign keys to clients are those of other tables
    perform rules.check_deferred_constraints(of_clients_only => false);
  exception
    when others then
      get stacked diagnostics
        v_state = returned_sqlstate, v_message = message_text, v_constraint = constraint_name, v_table = table_name;
      perform rules.refuse_as_host(v_state, v_message, v_constraint, v_table);
      raise;
  end;

  -- ANSWER
  return jsonb_build_object('deleted', jsonb_build_object(
    'client_id', v_gone.client_id, 'name', v_gone.name, 'slug', v_gone.slug, 'deleted_at', v_gone.deleted_at,
    'deleted_by', v_gone.deleted_by, 'reason', v_gone.reason
  ));
end
$$;

comment on function api.delete_client(bigint, text) is
'Remove a client that was created by mistake.
client_id: a client with no history beyond its creation. reason: why, at most 2,000 characters. Needs can_admin. deleted_clients
keeps the client and its history row; erase_words erases their words. A client that leaves the firm is not removed: move it to offboarding, or make it inactive.
Returns {deleted: {client_id, name, slug, deleted_at, deleted_by, reason}}.
Errors: permission_missing (403); client_not_found (404); client_has_history, host_constraint, host_trigger_failed (409);
reason_required, text_too_long, text_not_clean (422); client_locked, retry (503).';
