-- EVALUATE: every rule that forbids these changes; one row per refused item. All items are one actor's. Items are grouped
-- by everything that an evaluator gets, and each group is judged once: no rule can look at more than the groups tell apart.
create or replace function rules.evaluate(items rules.item[])
returns table (
  nth        integer,             -- the item's position in the array
  violations rules.violation[]
)
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_actor constant text := (items[1]).context.actor_id;
begin
  return query
    with asked as (
      select
        i.nth, i.before, i.action, i.word, coalesce((i.context).override, false) as override,
        case when (i.before).version <> i.expected_version then rules.version_conflict(i.before, i.expected_version) end
          as conflict,
        case when i.action = 'update' then (i.before).fields end as old_fields,
        case when i.action = 'update' then (coalesce(i.after, i.before)).fields end as new_fields
      from unnest(items) with ordinality as i (
        place, client_id, action, word, fields, clear, expected_version, context, before, after, is_locked, is_evaluated,
        violations, answer, nth
      )
      where not i.is_evaluated
        and i.violations is null
        and i.answer is null
    ),
    alike as (
      select a.conflict, f as facts, a.action, a.word, a.override, a.old_fields, a.new_fields, array_agg(a.nth) as nths
      from asked a
      cross join lateral rules.facts_of(a.before, v_actor) f
      group by 1, 2, 3, 4, 5, 6, 7
    ),
    judged as materialized (
      select
        a.nths,
        case
          when a.conflict is not null then array[a.conflict]
          when (a.facts).stage is null then array[('client_not_found', null)::rules.violation]
          when a.action = 'move' then rules.move_violations(v_actor, a.facts, a.word, a.override)
          when a.action = 'update' then rules.field_violations(v_actor, a.facts, a.old_fields, a.new_fields)
          else rules.flag_violations(v_actor, a.facts, a.word)
        end as found
      from alike a
    )
    select n.nth::integer, j.found
    from judged j
    cross join unnest(j.nths) as n (nth)
    where j.found is not null;
end
$$;
