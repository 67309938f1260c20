-- EVALUATE: every rule that forbids one of these changes; a row for each client that may not be changed so. One actor
-- asks. Clients that are alike in what the rules look at are asked about once, however many they are.
create or replace function rules.evaluate(changes rules.change[])
returns table (
  client_id  bigint,
  violations rules.violation[]
)
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_actor constant text := (changes[1]).context.actor_id;
  v_each  constant boolean := cardinality(changes) = 1 or rules.tells_apart(v_actor);
begin
  return query
    with asked as (
      select
        (ch.after).id as id,
        ch.before,
        ch.after,
        coalesce((ch.context).override, false) as override,
        (ch.before).stage <> (ch.after).stage as moved
      from unnest(changes) as ch (context, before, after)
      where (ch.context).rolls_back is null   -- a rollback was judged when its row was found reversible
    ),
    alike as materialized (
      select
        1 as place, array_agg(a.id) as ids, (array_agg(a.before))[1] as before, (array_agg(a.after))[1] as after,
        a.override, null as flag
      from asked a
      where a.moved
      group by rules.facts_of(a.before, v_each), (a.after).stage, a.override
      union all
      select 2, array_agg(a.id), (array_agg(a.before))[1], null, false, coalesce(f.added, f.removed)
      from asked a
      cross join lateral rules.flag_changes((a.before).flags, (a.after).flags, a.moved) f
      where (a.before).flags <> (a.after).flags
      group by (a.before).stage, (a.before).service_tier, coalesce(f.added, f.removed), case when v_each then a.id end
      union all
      select 3, array_agg(a.id), (array_agg(a.before))[1], (array_agg(a.after))[1], false, null
      from asked a
      cross join lateral rules.field_changes(a.before, a.after) as f (changed)
      where rules.fields_differ(a.before, a.after)
      group by (a.before).stage, (a.before).service_tier, case when v_each then a.id end,
        (select jsonb_object_agg(c.key, c.value -> 'to') from jsonb_each(f.changed) c)
    ),
    judged as (
      select
        a.place, a.ids,
        case a.place
          when 1 then rules.move_violations(v_actor, rules.facts_of(a.before, v_each), (a.after).stage, a.override)
          when 2 then rules.flag_violations(v_actor, a.before, a.flag)
          else rules.field_violations(v_actor, a.before, a.after)
        end as violations
      from alike a
    ),
    found as (
      select id, j.place, v.ordinality, (v.rule, v.facts)::rules.violation as violation
      from judged j
      cross join unnest(j.ids) as id
      cross join unnest(j.violations) with ordinality as v (rule, facts, ordinality)
    )
    select f.id, array_agg(f.violation order by f.place, f.ordinality)
    from found f
    group by f.id
    order by f.id;
end
$$;
