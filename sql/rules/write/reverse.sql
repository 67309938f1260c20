-- EVALUATE and WRITE the rollback of history rows, each by a separate row. Of several rows of a client the newest
-- goes first. Returns the rows that stay, each with the rule that forbids it: nothing is raised.
create or replace function rules.reverse(
  context     rules.change_context,   -- of each rollback
  history_ids bigint[]
)
returns table (
  client_id  bigint,
  history_id bigint,
  violation  rules.violation
)
language plpgsql
volatile
as $$
#variable_conflict use_variable
declare
  v_round   record;                -- each client's newest row that was not tried yet, by client
  v_nth     integer;
  v_clients rules.client_state[];
  v_changes rules.change[];
  v_client  rules.client_state;
  v_undone  public.stage_history;
  v_judged  constant text := rules.judged_actor(context.actor_id, context.on_behalf_of);
begin
  context.payload := rules.marked_payload(context);
  for v_round in
    select array_agg(n.id order by n.client_id) as ids, array_agg(n.client_id order by n.client_id) as client_ids
    from (
      select h.id, h.client_id, row_number() over (partition by h.client_id order by h.version desc) as place
      from public.stage_history h
      where h.id = any (history_ids)
    ) n
    group by n.place
    order by n.place
  loop
    -- LOCK
    v_clients := rules.lock_clients(v_round.client_ids);

    -- EVALUATE
    v_changes := array[]::rules.change[];
    v_nth := 1;
    foreach v_client in array v_clients loop
      while v_round.client_ids[v_nth] < v_client.id loop
        v_nth := v_nth + 1;
      end loop;
      select h.* into v_undone from public.stage_history h where h.id = v_round.ids[v_nth];
      violation := (rules.reversal_violations(v_client, v_undone))[1];
      if violation is null and v_judged <> context.actor_id then
        violation := rules.acting_violation(
          context.actor_id, v_judged, (select f from rules.facts_of(v_client, v_judged, context.actor_id) f),
          to_stage => v_undone.from_stage,
          flag => coalesce(v_undone.flag_added, v_undone.flag_removed)
        );
      end if;
      if violation is not null then
        client_id := v_client.id;
        history_id := v_undone.id;
        return next;
      else
        context.rolls_back := v_undone.id;
        v_changes := v_changes || row(context, v_client, rules.state_after_rollback(v_client, v_undone))::rules.change;
      end if;
    end loop;

    -- WRITE
    return query
      select w.client_id, r.id, w.violation
      from rules.write_changes(v_changes) w
      join unnest(v_round.ids, v_round.client_ids) as r (id, client_id) on r.client_id = w.client_id;
  end loop;
end
$$;
