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
returns api."application/json"
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_name    text;
  v_slug    text;
  v_context rules.change_context;
  v_client  rules.client_state := rules.default_client();
  v_earlier record;
  v_state      text;
  v_message    text;
  v_constraint text;
  v_table      text;
begin
  -- OPEN
  stage := coalesce(stage, 'onboarding');
  v_context := rules.open_context(
    rules.current_actor(), reason, triggered_by, on_behalf_of, channel, external_id, payload
  );
  v_name := rules.checked_text('name', name, 200, required => true);
  v_slug := rules.checked_slug(slug);
  v_client.stage := stage;
  v_client.fields := rules.fields_after(
    v_client.fields,
    rules.checked_fields(row(owner, collaborators, notes, tier, cadence, schedule, reviewers, active), '{}'),
    '{}'
  );
  select * into v_earlier from rules.earlier_answer(
    v_context,
    jsonb_build_object('call', 'create_client', 'name', v_name, 'slug', v_slug, 'client', to_jsonb(v_client))
  );
  perform rules.refuse_all(v_earlier.violations);
  if v_earlier.answer is not null then
    return v_earlier.answer;
  end if;

  -- EVALUATE
  perform rules.refuse_all(rules.new_client_violations(v_context.actor_id, v_client, v_context.on_behalf_of));
  perform rules.refuse(
    case when c.slug = v_slug then 'slug_taken' else 'slug_too_similar' end,
    jsonb_build_object('slug', v_slug, 'other_slug', c.slug, 'other_client', c.name)
  )
  from public.clients c
  where normalize(lower(normalize(c.slug, nfd))) = v_slug
  order by c.slug <> v_slug
  limit 1;

  -- WRITE
  v_client.stage := 'onboarding';
  v_client := rules.state_after(v_client, 'move', stage);
  v_client.version := 0;
  v_context.payload := rules.marked_payload(v_context);
  begin
    v_client.id := rules.write_new_client(v_name, v_slug, v_client);
    perform rules.write_history(array[(v_context, null, v_client)::rules.change]);
    perform rules.check_deferred_constraints(of_clients_only => true);
  exception
    when others then
      get stacked diagnostics
        v_state = returned_sqlstate, v_message = message_text, v_constraint = constraint_name, v_table = table_name;
      perform rules.refuse_as_host(v_state, v_message, v_constraint, v_table, jsonb_build_object('slug', v_slug));
      raise;
  end;

  -- ANSWER
  return rules.remember_answer(v_context, rules.change_answer(v_client.id));
end
$$;

comment on function api.create_client(
  text, text, text, text, text[], text, text, text, text, text[], boolean, text, text, text, text, text, jsonb
) is
'Create a client.
name, slug: required, at most 200 characters; the slug is unique, and stored in small letters, composed (NFC), without invisible characters. stage: onboarding (default) or a stage that can follow it.
owner: an actor id. collaborators, reviewers: at most 100 actor ids. notes: at most 10,000 characters.
tier, cadence, schedule, reviewers, active: only an admin can set values other than the defaults (recurring_only, monthly, none, any reviewer,
true). reason, triggered_by, on_behalf_of, channel, external_id, payload: as in set_stage; none is required. Needs can_set_stage.
Returns {client, history, changed, replayed}.
Errors: permission_missing (403); slug_taken, slug_too_similar, idempotency_key_reused, answer_erased, host_constraint, host_trigger_failed (409); unknown_stage,
transition_not_allowed, unknown_value, slug_not_valid, text_required, text_too_long, text_not_clean, actor_id_not_valid, actor_id_not_normal, unknown_channel,
payload_not_valid (422); key_in_use, retry (503).';
