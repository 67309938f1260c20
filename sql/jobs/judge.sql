-- Which of these changes the rules forbid a job.
create or replace function jobs.judge(
  actor_id   text,
  action     text,
  word       text,
  client_ids bigint[]
)
returns table (
  refused_by text,
  clients    bigint[]
)
language plpgsql
stable
as $$
declare
  v_context rules.change_context;
  v_changes rules.change[];
begin
  v_context.actor_id := actor_id;
  v_context.channel := 'cron';
  v_changes := array(
    select (v_context, rules.state_of(c), case action when 'move' then rules.moved(rules.state_of(c), word) else rules.flagged(rules.state_of(c), word, action = 'set') end)::rules.change
    from public.clients c
    where c.id = any (client_ids)
  );
  return query
    select e.violations[1].rule, array_agg((ch.after).id)
    from unnest(v_changes) as ch
    left join rules.evaluate(v_changes) e on e.client_id = (ch.after).id
    group by 1;
end
$$;
