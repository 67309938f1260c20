-- EVALUATE: find every rule that forbids these changes, and keep the violations with the items. All items are from one
-- actor. Items are grouped by everything that an evaluator gets, and each group is judged once: no rule can look at
-- more than the groups tell apart.
create or replace function rules.evaluate(items rules.item[])
returns rules.item[]
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_actor constant text := (items[1]).context.actor_id;
  v_alike record;
  v_found rules.violation[];
begin
  if cardinality(items) = 1 and items[1].is_evaluated then
    return items;
  end if;
  for v_alike in
    select
      f as facts, a.refused, a.action, a.word, a.override, a.on_behalf_of, a.old_fields, a.new_fields,
      array_agg(a.ordinality::integer) as nths
    from (
      select
        i.ordinality, i.before, i.action, i.word, coalesce((i.context).override, false) as override,
        (i.context).on_behalf_of,
        rules.request_violation(i.action, i.word, i.expected_version, i.close_period, i.before) as refused,
        case when i.action = 'update' then (i.before).fields end as old_fields,
        case when i.action = 'update' then (coalesce(i.after, i.before)).fields end as new_fields
      from unnest(items) with ordinality as i
      where not i.is_evaluated
        and i.violations is null
        and i.answer is null
    ) a
    cross join lateral rules.facts_of(a.before, v_actor, a.on_behalf_of) f
    group by 1, 2, 3, 4, 5, 6, 7, 8
  loop
    v_found := case
      when (v_alike.refused).rule is not null then array[v_alike.refused]
      else rules.judge(
        v_actor, v_alike.on_behalf_of, v_alike.facts, v_alike.action, v_alike.word, v_alike.override,
        v_alike.old_fields, v_alike.new_fields
      )
    end;
    if v_found is not null then
      for i in 1 .. cardinality(v_alike.nths) loop
        items[v_alike.nths[i]].violations := v_found;
      end loop;
    elsif v_alike.on_behalf_of is not null then
      for i in 1 .. cardinality(v_alike.nths) loop
        items[v_alike.nths[i]].context.payload := rules.marked_payload(items[v_alike.nths[i]].context);
      end loop;
    end if;
  end loop;
  return items;
end
$$;
