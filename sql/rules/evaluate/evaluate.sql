-- EVALUATE: find every rule that forbids these changes, and keep the violations with the items. All items are from one
-- actor. Items are grouped by everything that an evaluator gets, and each group is judged once: no rule can look at
-- more than the groups tell apart. To group a single item would cost more than its rules.
create or replace function rules.evaluate(items rules.item[])
returns rules.item[]
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_actor   constant text := (items[1]).context.actor_id;
  v_one     rules.item;
  v_facts   rules.facts;
  v_refused rules.violation;
  v_found   rules.violation[];
  v_alike   record;
begin
  if cardinality(items) = 1 then
    v_one := items[1];
    if v_one.is_evaluated is not false or v_one.violations is not null or v_one.answer is not null then
      return items;
    end if;
    v_refused := rules.request_violation(
      v_one.action, v_one.word, v_one.expected_version, v_one.close_period, v_one.before
    );
    if v_refused.rule is not null then
      v_found := array[v_refused];
    else
      select f.* into v_facts from rules.facts_of(v_one.before, v_actor, (v_one.context).on_behalf_of) f;
      v_found := rules.judge(
        v_actor, (v_one.context).on_behalf_of, v_facts, v_one.action, v_one.word, coalesce((v_one.context).override, false),
        (v_one.before).fields, (coalesce(v_one.after, v_one.before)).fields
      );
    end if;
    v_one.violations := v_found;
    if v_found is null and (v_one.context).on_behalf_of is not null then
      v_one.context.payload := rules.marked_payload(v_one.context);
    end if;
    return array[v_one];
  end if;

  for v_alike in
    select
      f.*::rules.facts as facts, a.refused, a.action, a.word, a.override, a.on_behalf_of, a.old_fields, a.new_fields,
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
