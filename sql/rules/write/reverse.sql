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
  v_rows    bigint[];              -- each client's newest row that was not tried yet
  v_clients rules.client_state[];
  v_changes rules.change[];
  v_client  rules.client_state;
  v_undone  public.stage_history;
  v_round   integer := 0;
  v_judged  constant text := rules.judged_actor(context.actor_id, context.on_behalf_of);
begin
  context.payload := rules.marked_payload(context);
  loop
    v_round := v_round + 1;
    v_rows := array(
      select n.id
      from (
        select h.id, row_number() over (partition by h.client_id order by h.version desc) as place
        from public.stage_history h
        where h.id = any (history_ids)
      ) n
      where n.place = v_round
    );
    exit when cardinality(v_rows) = 0;

    -- LOCK
    v_clients := rules.lock_clients(array(select h.client_id from public.stage_history h where h.id = any (v_rows)));

    -- EVALUATE
    v_changes := array[]::rules.change[];
    foreach v_client in array v_clients loop
      select h.* into v_undone from public.stage_history h where h.client_id = v_client.id and h.id = any (v_rows);
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
      select w.client_id, h.id, w.violation
      from rules.write_changes(v_changes) w
      join public.stage_history h on h.client_id = w.client_id and h.id = any (v_rows);
  end loop;
end
$$;
