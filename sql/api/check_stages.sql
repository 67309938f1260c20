create or replace function api.check_stages(client_ids bigint[])
returns api."application/json"
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_actor constant text := rules.current_actor();
  v_each  constant boolean := rules.tells_apart(v_actor);
begin
  if (cardinality(client_ids) between 1 and 200) is not true then
    perform rules.refuse('client_ids_not_valid');
  end if;

  -- EVALUATE as the real changes do, once for all clients that are alike in what the rules look at
  return (
    with asked as (
      select (rules.state_of(c.*)).*
      from public.clients c
      where c.id = any (client_ids)
    ),
    alike as materialized (
      select
        array_agg(a.id) as ids,
        (array_agg(row(a.*)::rules.client_state))[1] as client
      from asked a
      group by rules.facts_of(row(a.*)::rules.client_state, v_each)
    ),
    judged as materialized (
      select
        g.ids,
        (
          select coalesce(json_agg(json_build_object('to_stage', t.to_stage, 'note', t.note) order by s.position), '[]')
          from rules.allowed_stages(rules.facts_of(g.client)) a
          join public.stage_transitions t on t.from_stage = (g.client).stage and t.to_stage = a.to_stage
          join public.stages s on s.stage = t.to_stage
          where rules.move_violations(v_actor, rules.facts_of(g.client, v_each), a.to_stage) is null
        ) as moves,
        array(
          select s.stage
          from public.stages s
          where s.stage <> (g.client).stage
            and rules.move_violations(v_actor, rules.facts_of(g.client, v_each), s.stage, true) is null
          order by s.position
        ) as override_to,
        array(
          select f.flag
          from public.stage_flags f
          where rules.flag_violations(v_actor, g.client, f.flag) is null
          order by f.flag
        ) as flags,
        rules.open_fields(v_actor, g.client) as fields,
        rules.missing_permission(
          v_actor, 'can_admin',
          client_id => (g.client).id, from_stage => (g.client).stage, service_tier => (g.client).service_tier
        ) is null as may_roll_back
      from alike g
    )
    select json_build_object('clients', coalesce(json_agg(
      json_build_object(
        'client_id', a.id,
        'version', a.version,
        'moves', j.moves,
        'override_to', j.override_to,
        'set_flags', array(select f from unnest(j.flags) f where f <> all (a.flags)),
        'clear_flags', array(select f from unnest(j.flags) f where f = any (a.flags)),
        'fields', j.fields,
        'may_roll_back', j.may_roll_back
      )
      order by a.id
    ), '[]'))
    from judged j
    cross join unnest(j.ids) as same (id)
    join asked a on a.id = same.id
  );
end
$$;

comment on function api.check_stages(bigint[]) is
'What the caller may do with each of these clients: the dry run of many changes, by the evaluators of the real ones.
client_ids: 1 to 200 clients; those that there are not are left out. Any actor may ask for itself.
Answers {clients}: for each client_id and version its moves (to_stage, note), override_to (the stages that an override may move it to),
set_flags and clear_flags, fields (the arguments of update_client) and may_roll_back. What is not named would be refused; check_stage says why.
Errors: client_ids_not_valid (422).';
