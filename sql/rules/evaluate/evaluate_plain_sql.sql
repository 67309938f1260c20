-- EVALUATE what a plain statement changed, and refuse the statement if a rule forbids it: with the violations of the
-- first refused client, and the number of clients that have the same ones.
create or replace function rules.evaluate_plain_sql(changes rules.change[])
returns void
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_default   constant rules.client_state := rules.default_client();
  v_forbidden record;
begin
  for v_forbidden in
    with refused as (
      select i.client_id, array_agg((v.rule, v.facts)::rules.violation order by i.ordinality, v.place) as violations
      from unnest(rules.evaluate(rules.items_of(changes))) with ordinality as i
      cross join lateral unnest(i.violations) with ordinality as v (rule, facts, place)
      group by i.client_id
      union all
      select (ch.after).id, v.violations
      from unnest(changes) as ch
      cross join lateral rules.new_client_violations((ch.context).actor_id, ch.after) as v (violations)
      where (ch.before).id is null
        -- Atlas's own programs insert clients without stage columns; any login that can insert clients may do that
        and ((ch.after).stage, (ch.after).flags, (ch.after).fields)
          is distinct from (v_default.stage, v_default.flags, v_default.fields)
        and v.violations is not null
    )
    select min(r.client_id) as client_id, count(*) as clients, r.violations
    from refused r
    group by r.violations
    order by 1
    limit 1
  loop
    perform rules.refuse_all(v_forbidden.violations, jsonb_build_object(
      'client_id', v_forbidden.client_id, 'clients', v_forbidden.clients
    ));
  end loop;
end
$$;
