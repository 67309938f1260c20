create or replace function jobs.change_clients(
  context    rules.change_context,
  action     text,
  word       text,
  client_ids bigint[]
)
returns jsonb
language plpgsql
volatile
as $$
declare
  v_errors jsonb;
begin
  select coalesce(jsonb_agg(jsonb_build_object('client_id', w.client_id, 'error', coalesce(w.violations[1].facts ->> 'said', w.violations[1].rule))), '[]')
  into v_errors
  from rules.write_apart(array(
    select (context, rules.state_of(c), case action when 'move' then rules.moved(rules.state_of(c), word) else rules.flagged(rules.state_of(c), word, action = 'set') end)::rules.change
    from public.clients c
    where c.id = any (client_ids)
  )) w;
  return jsonb_build_object('changed', cardinality(client_ids) - jsonb_array_length(v_errors), 'errors', v_errors);
end
$$;
