-- AFTER STATEMENT on clients, for plain SQL: evaluate what the statement changed and record it, as a change of the
-- session's own actor through psql. Changes that our functions have recorded are skipped.
create or replace function rules.record_plain_sql()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
-- A plan made for one changed client can be used for 100,000 the next time, so nested loops are disabled. That adds a
-- cost to unavoidable ones, which would start the JIT compiler, so JIT is disabled too: it takes seconds.
set enable_nestloop = off
-- and a plan made when history was empty, for a long one
set enable_seqscan = off
set jit = off
-- as in api.set_stage
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_variable
declare
  v_context   rules.change_context;
  v_changes   rules.change[];
  v_versions  bigint;
  v_rewritten boolean := false;
begin
  -- OPEN: a plain statement is always its own login's change
  v_context.actor_id := rules.current_actor();
  v_context.channel := 'psql';
  v_context.reason := nullif(current_setting('atlas.act_as_reason', true), '');
  v_context.override := false;
  if tg_op = 'INSERT' then
    select array_agg((v_context, null, rules.state_of(n.*))::rules.change order by n.id), sum(n.version + 1)
    into v_changes, v_versions
    from new_clients n;
  else
    select
      array_agg((v_context, rules.state_of(o.*), rules.state_of(n.*))::rules.change order by n.id),
      sum(n.version - o.version),
      bool_or(case
        when n.stage = o.stage
          then (n.stage_entered_at, n.returning_to_stage, n.close_period)
            is distinct from (o.stage_entered_at, o.returning_to_stage, o.close_period)
        -- a resume continues the time before the pause
        else n.stage_entered_at <> now() and n.stage is distinct from o.returning_to_stage
      end)
    into v_changes, v_versions, v_rewritten
    from new_clients n
    join old_clients o on o.id = n.id
    where rules.state_of(n.*) is distinct from rules.state_of(o.*)
      and (pg_trigger_depth() = 1 or not exists (
        select from public.stage_history h where h.client_id = n.id and h.version = n.version
      ));
  end if;
  if v_changes is null then
    return null;
  end if;

  -- EVALUATE
  perform rules.evaluate_plain_sql(v_changes);

  -- WRITE: a host trigger that ran after ours can have changed more than the versions count, or columns that the
  -- database maintains
  if v_rewritten or rules.write_history(v_changes) <> v_versions then
    perform rules.refuse_as_host('P0001', null, null, null);
  end if;
  return null;
end
$$;
