create or replace function api.check_stages(
  client_ids   bigint[],
  on_behalf_of text default null
)
returns api."application/json"
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_actor  constant text := rules.current_actor();
  v_judged constant text := rules.judged_actor(v_actor, on_behalf_of);
begin
  if (cardinality(client_ids) between 1 and 200) is not true then
    perform rules.refuse('client_ids_not_valid');
  end if;

  -- EVALUATE as the real changes do, once for all clients with the same facts
  return (
    with asked as materialized (
      select c.id, c.version, c.flags, rules.state_of(c.*) as state, f.*::rules.facts as facts
      from public.clients c
      cross join lateral rules.facts_of(rules.state_of(c.*), v_actor, on_behalf_of) f
      where c.id = any (client_ids)
    ),
    alike as materialized (
      select distinct a.facts from asked a
    ),
    judged as materialized (
      select
        g.facts,
        (
          select coalesce(json_agg(json_build_object(
            'to_stage', t.to_stage,
            'note', t.note,
            'kind', rules.kind_of(t.from_stage, t.to_stage, (g.facts).returning_to_stage)
          ) order by s.position), '[]')
          from rules.allowed_stages(g.facts) a
          join public.stage_transitions t on t.from_stage = (g.facts).stage and t.to_stage = a.to_stage
          join public.stages s on s.stage = t.to_stage
          where rules.judge(v_actor, on_behalf_of, g.facts, 'move', a.to_stage) is null
        ) as moves,
        array(
          select s.stage
          from public.stages s
          where s.stage <> (g.facts).stage
            and rules.judge(v_actor, on_behalf_of, g.facts, 'move', s.stage, true) is null
          order by s.position
        ) as override_to,
        array(
          select f.flag
          from public.stage_flags f
          where rules.judge(v_actor, on_behalf_of, g.facts, 'set', f.flag) is null
          order by f.flag
        ) as flags,
        array(
          select c.argument
          from rules.field_catalog() with ordinality as c (field, argument, permission, is_clearable, nth)
          where rules.missing_permission(v_judged, c.permission, g.facts) is null
            and rules.acting_violation(v_actor, v_judged, g.facts) is null
          order by c.nth
        ) as fields,
        rules.missing_permission(v_actor, 'can_admin', g.facts) is null as may_roll_back
      from alike g
    )
    select json_build_object('clients', coalesce(json_agg(
      json_build_object(
        'client_id', a.id,
        'version', a.version,
        'moves', j.moves,
        -- of the close that a move opens or continues
        'close_period', coalesce((a.state).close_period, rules.close_period_for(a.state)),
        'opens_close', array(
          select s.stage
          from public.stages s
          where (a.state).close_period is null and rules.in_close(s.stage, null)
          order by s.position
        ),
        'override_to', j.override_to,
        'set_flags', array(select f from unnest(j.flags) f where f <> all (a.flags)),
        'clear_flags', array(select f from unnest(j.flags) f where f = any (a.flags)),
        'fields', j.fields,
        'may_roll_back', j.may_roll_back
      )
      order by a.id
    ), '[]'))
    from asked a
    join judged j on j.facts = a.facts
  );
end
$$;

comment on function api.check_stages(bigint[], text) is
'List what the caller can do with each of these clients: a dry run of moves, flags and fields, by the real evaluators.
client_ids: 1 to 200 ids; unknown ids are left out. on_behalf_of: as in set_stage. Any actor can check for itself.
Returns {clients}: for each client_id and version its moves (to_stage, note, and kind as in changes), close_period (the month
of the close that a move opens or continues), opens_close (the stages by which it opens one), override_to (stages that an override can reach),
set_flags, clear_flags, fields (arguments of update_client) and may_roll_back. Anything that is not listed would be refused; check_stage
returns the reason.
Errors: client_ids_not_valid (422).';
