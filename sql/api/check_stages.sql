create or replace function api.check_stages(client_ids bigint[])
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_actor   constant text := rules.current_actor();
  v_clients jsonb;
begin
  if (cardinality(client_ids) between 1 and 200) is not true then
    perform rules.refuse('client_ids_not_valid');
  end if;

  -- EVALUATE as the real move does
  select coalesce(
    jsonb_agg(
      jsonb_build_object(
        'client_id', c.id,
        'version', c.version,
        'moves', (
          select coalesce(jsonb_agg(jsonb_build_object('to_stage', a.to_stage, 'note', t.note) order by s.position), '[]')
          from rules.allowed_stages(rules.state_of(c.*)) a
          join public.stages s on s.stage = a.to_stage
          join public.stage_transitions t on t.from_stage = c.stage and t.to_stage = a.to_stage
          where rules.move_violations(v_actor, rules.state_of(c.*), a.to_stage) is null
        )
      )
      order by c.id
    ),
    '[]'
  )
  into v_clients
  from public.clients c
  where c.id = any (client_ids);
  return jsonb_build_object('clients', v_clients);
end
$$;

comment on function api.check_stages(bigint[]) is
'Where may I move each of these clients? The dry run of set_stage for many, by the same evaluator.
client_ids: 1 to 200 clients; those that there are not are left out. Any actor may ask for itself.
Answers {clients}: for each its client_id, version and moves, each with to_stage and the transition''s note; in the stages'' order.
Errors: client_ids_not_valid (422).';
