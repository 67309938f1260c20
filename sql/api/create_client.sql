create or replace function api.create_client(
  name          text,
  slug          text,
  stage         text default 'onboarding',
  owner         text default null,
  collaborators text[] default null,
  notes         text default null,
  tier          text default null,
  cadence       text default null,
  schedule      text default null,
  reviewers     text[] default null,
  active        boolean default null,
  reason        text default null,
  triggered_by  text default null,
  on_behalf_of  text default null,
  channel       text default null,
  external_id   text default null,
  payload       jsonb default null
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_actor      text := rules.current_actor();
  v_key        text := rules.idempotency_key(external_id);
  v_request    jsonb := jsonb_build_object(
    'call', 'create_client', 'actor_id', v_actor, 'name', name, 'slug', slug, 'stage', stage, 'owner', owner,
    'collaborators', collaborators, 'notes', notes, 'tier', tier, 'cadence', cadence, 'schedule', schedule,
    'reviewers', reviewers, 'active', active, 'reason', reason, 'triggered_by', triggered_by,
    'on_behalf_of', on_behalf_of, 'channel', channel, 'payload', payload
  );
  v_answer     jsonb := rules.replayed_answer(v_key, v_request);
  v_client     public.clients;
begin
  if v_answer is not null then
    return v_answer;
  end if;

  -- GUARD
  perform rules.begin_change('fields', rules.change_request(
    v_actor, reason, triggered_by, on_behalf_of, channel, v_key, payload
  ));
  perform rules.require_stage(stage);
  v_client.name := rules.required_text('name', name, 200);
  v_client.slug := rules.required_text('slug', slug, 200);
  if owner is not null then
    perform rules.require_actor_id(owner);
  end if;

  -- ACT: the triggers judge and record; what was not said is as `clients` has it by default
  begin
    insert into public.clients (
      name, slug, stage, stage_owner, stage_collaborators, stage_notes, service_tier, close_cadence,
      sales_tax_schedule, eligible_reviewers, active
    )
    values (
      v_client.name,
      v_client.slug,
      stage,
      owner,
      coalesce(rules.checked_actor_list(collaborators), '{}'),
      rules.checked_text('notes', notes, 10000, lines => true),
      coalesce(tier, 'recurring_only'),
      coalesce(cadence, 'monthly'),
      coalesce(schedule, 'none'),
      rules.checked_actor_list(reviewers),
      coalesce(active, true)
    )
    returning * into v_client;
  exception
    when unique_violation then
      perform rules.refuse('slug_taken', jsonb_build_object('slug', slug));
    when check_violation then
      perform rules.refuse_unknown_value(tier, cadence, schedule);
  end;

  return rules.remember_answer(v_key, v_request, rules.change_answer(v_client.id, true)::jsonb);
end
$$;

comment on function api.create_client(
  text, text, text, text, text[], text, text, text, text, text[], boolean, text, text, text, text, text, jsonb
) is
'Create a client.
name, slug: required, at most 200 characters; the slug is unique. stage: onboarding (default) or one that may follow it.
owner: an actor id. collaborators: actor ids. notes: at most 10,000 characters. tier, cadence, schedule, reviewers, active: the firm''s
agreement with the client; other than the defaults (recurring_only, monthly, none, anyone, true) only by an admin.
reason, triggered_by, on_behalf_of, channel, external_id, payload: as in set_stage; none is required. For can_set_stage.
Answers {client, history, changed, replayed}.
Errors: permission_missing (403); slug_taken, idempotency_key_reused (409); unknown_stage, transition_not_allowed, unknown_value,
text_required, text_too_long, text_not_clean, actor_id_not_valid, unknown_channel, payload_not_valid (422).';
