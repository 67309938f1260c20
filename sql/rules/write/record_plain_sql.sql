-- AFTER STATEMENT on clients, for plain SQL: evaluate what the statement changed, then record it, as a change of the
-- session's own actor through psql. What a function of ours has recorded already is left alone.
create or replace function rules.record_plain_sql()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
-- The plan made for one changed client meets a hundred thousand next time: no nested loop over them. The price that
-- this puts on what has to be a nested loop would set off the JIT compiler: seconds for one flag.
set enable_nestloop = off
set jit = off
as $$
#variable_conflict use_variable
declare
  v_context   rules.change_context;
  v_default   constant rules.client_state := rules.default_client();
  v_changes   rules.change[];
  v_versions  bigint;
  v_rewritten boolean := false;
  v_forbidden record;
begin
  -- OPEN: whatever the session set, it is its own login's change
  v_context.actor_id := rules.current_actor();
  v_context.channel := 'psql';
  v_context.reason := nullif(current_setting('atlas.act_as_reason', true), '');
  v_context.override := false;

  -- EVALUATE
  if tg_op = 'INSERT' then
    select array_agg((v_context, null, c)::rules.change order by c.id), sum(c.version + 1)
    into v_changes, v_versions
    from new_clients n
    cross join lateral rules.state_of(n.*) c;
    -- whoever may insert a client that says nothing of stages, as Atlas itself does, may
    for v_forbidden in
      select c.id, v.violations
      from new_clients n
      cross join lateral rules.state_of(n.*) c
      cross join lateral rules.new_client_violations(v_context.actor_id, c) as v (violations)
      where ((c.stage, c.flags) <> (v_default.stage, v_default.flags) or rules.fields_differ(c, v_default))
        and v.violations is not null
      order by c.id
      limit 1
    loop
      perform rules.refuse_all(v_forbidden.violations);
    end loop;
  else
    select
      array_agg((v_context, rules.state_of(o.*), rules.state_of(n.*))::rules.change order by n.id),
      sum(n.version - o.version),
      bool_or((n.stage_entered_at, n.stage <> o.stage or n.returning_to_stage is not distinct from o.returning_to_stage)
        <> (case when n.stage <> o.stage then now() else o.stage_entered_at end, true))
    into v_changes, v_versions, v_rewritten
    from new_clients n
    join old_clients o on o.id = n.id
    where rules.state_of(n.*) is distinct from rules.state_of(o.*)
      and (pg_trigger_depth() = 1 or not exists (
        select from public.stage_history h where h.client_id = n.id and h.version = n.version
      ));
    for v_forbidden in
      select min(e.client_id) as client_id, count(*) as clients, e.violations
      from rules.evaluate(v_changes) e
      group by e.violations
      order by 1
      limit 1
    loop
      perform rules.refuse_all(v_forbidden.violations, jsonb_build_object(
        'client_id', v_forbidden.client_id, 'clients', v_forbidden.clients
      ));
    end loop;
  end if;
  if v_changes is null then
    return null;
  end if;

  -- WRITE: a trigger that ran after ours may have changed more than the versions say, or what the database keeps
  if v_rewritten or rules.record_changes(v_changes) <> v_versions then
    perform rules.refuse_as_host('P0001', null, null, null);
  end if;
  return null;
end
$$;
