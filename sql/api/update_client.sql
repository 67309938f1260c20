create or replace function api.update_client(
  client_id        bigint,
  reason           text default null,
  expected_version bigint default null,
  owner            text default null,
  collaborators    text[] default null,
  notes            text default null,
  tier             text default null,
  cadence          text default null,
  schedule         text default null,
  reviewers        text[] default null,
  active           boolean default null,
  clear            text[] default '{}',
  triggered_by     text default null,
  on_behalf_of     text default null,
  channel          text default null,
  external_id      text default null,
  payload          jsonb default null
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_actor   text := rules.current_actor();
  v_key     text := rules.idempotency_key(external_id);
  v_request jsonb := jsonb_build_object(
    'call', 'update_client', 'actor_id', v_actor, 'client_id', client_id, 'reason', reason,
    'expected_version', expected_version, 'owner', owner, 'collaborators', collaborators, 'notes', notes,
    'tier', tier, 'cadence', cadence, 'schedule', schedule, 'reviewers', reviewers, 'active', active,
    'clear', clear, 'triggered_by', triggered_by, 'on_behalf_of', on_behalf_of, 'channel', channel, 'payload', payload
  );
  v_answer  jsonb := rules.replayed_answer(v_key, v_request);
  v_before  public.clients;
  v_client  public.clients;
begin
  if v_answer is not null then
    return v_answer;
  end if;

  -- GUARD
  perform rules.begin_change('fields', rules.change_request(
    v_actor, reason, triggered_by, on_behalf_of, channel, v_key, payload
  ));
  if not coalesce(clear, '{}') <@ array['owner', 'collaborators', 'notes', 'reviewers'] then
    perform rules.refuse('unknown_value', jsonb_build_object(
      'field', 'clear', 'known', array['owner', 'collaborators', 'notes', 'reviewers']
    ));
  end if;
  if owner is not null then
    perform rules.require_actor_id(owner);
  end if;

  -- LOCK
  v_before := rules.lock_client(client_id);
  perform rules.require_version(v_before, expected_version);

  -- ACT: the triggers judge and record
  begin
    update public.clients c
    set stage_owner         = case when 'owner' = any (clear) then null else coalesce(owner, c.stage_owner) end,
        stage_collaborators = case
          when 'collaborators' = any (clear) then '{}'
          else coalesce(rules.checked_actor_list(collaborators), c.stage_collaborators)
        end,
        stage_notes         = case
          when 'notes' = any (clear) then null
          else coalesce(rules.checked_text('notes', update_client.notes, 10000, lines => true), c.stage_notes)
        end,
        service_tier        = coalesce(tier, c.service_tier),
        close_cadence       = coalesce(cadence, c.close_cadence),
        sales_tax_schedule  = coalesce(schedule, c.sales_tax_schedule),
        eligible_reviewers  = case
          when 'reviewers' = any (clear) then null
          else coalesce(rules.checked_actor_list(reviewers), c.eligible_reviewers)
        end,
        active              = coalesce(update_client.active, c.active)
    where c.id = update_client.client_id
    returning * into v_client;
  exception when check_violation then
    perform rules.refuse_unknown_value(tier, cadence, schedule);
  end;

  return rules.remember_answer(
    v_key, v_request, rules.change_answer(v_client.id, v_client.version > v_before.version)::jsonb
  );
end
$$;

comment on function api.update_client(
  bigint, text, bigint, text, text[], text, text, text, text, text[], boolean, text[], text, text, text, text, jsonb
) is
'Change what is known of a client besides stage and flags.
client_id: the client. What is left out stays. expected_version: refuse when the client has changed since.
owner, collaborators, notes: for can_set_stage. tier, cadence, schedule, reviewers, active: for can_admin.
clear: names of owner, collaborators, notes, reviewers to empty.
reason, triggered_by, on_behalf_of, channel, external_id, payload: as in set_stage; none is required.
Answers {client, history, changed, replayed}; changed is false and history null when everything was so already.
Errors: permission_missing (403); client_not_found (404); version_conflict, idempotency_key_reused (409); unknown_value,
text_too_long, text_not_clean, actor_id_not_valid, unknown_channel, payload_not_valid (422).';
