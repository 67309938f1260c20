create or replace function api.check_stage(
  client_id    bigint,
  to_stage     text,
  on_behalf_of text default null
)
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_actor      constant text := rules.current_actor();
  v_client     record;
  v_violations rules.violation[];
begin
  select c.id, c.version, rules.state_of(c.*) as state, f.*::rules.facts as facts
  into v_client
  from public.clients c
  cross join lateral rules.facts_of(rules.state_of(c.*), v_actor, on_behalf_of) f
  where c.id = client_id;
  if not found then
    perform rules.refuse('client_not_found', jsonb_build_object('client_id', client_id));
  end if;
  perform rules.refuse_all(rules.unknown_stage(to_stage));

  -- EVALUATE as the real move does
  v_violations := rules.judge(v_actor, on_behalf_of, v_client.facts, 'move', to_stage);
  return jsonb_build_object(
    'allowed', v_violations is null,
    'refusals', coalesce(rules.error_json(v_violations) #> '{details,refusals}', '[]'),
    'allowed_stages', (
      select coalesce(jsonb_agg(a.to_stage order by a.to_stage), '[]') from rules.allowed_stages(v_client.facts) a
    ),
    'close_period', (rules.state_after(v_client.state, 'move', to_stage)).close_period,
    'client_id', v_client.id,
    'version', v_client.version
  );
end
$$;

comment on function api.check_stage(bigint, text, text) is
'Check whether the caller could move a client to a stage, by the rules of the real move.
Any actor can check for itself. client_id: the client. to_stage: the stage. on_behalf_of: as in set_stage.
Returns {allowed, refusals, allowed_stages, close_period, client_id, version}: each refusal with its rule code and facts; allowed_stages by the transitions alone;
close_period: the month of the close that the client would then be in.
Errors: client_not_found (404), unknown_stage (422).';
