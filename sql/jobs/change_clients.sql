-- Change clients in one statement. Where that fails, halve and try again, until the client in whose way
-- something stands is alone: it stops no other. Answers {changed, errors: [{client_id, error}]}.
create or replace function jobs.change_clients(
  change     jsonb,
  action     text,
  word       text,
  client_ids bigint[]
)
returns jsonb
language plpgsql
volatile
as $$
declare
  v_half  integer := cardinality(client_ids) / 2;
  v_state text;
  v_error text;
  v_left  jsonb;
  v_right jsonb;
begin
  begin
    perform rules.begin_change(case action when 'move' then 'moves' else 'flags' end, change);
    if action = 'move' then
      update public.clients c set stage = word where c.id = any (client_ids);
    elsif action = 'set' then
      update public.clients c set flags = c.flags || word where c.id = any (client_ids);
    else
      update public.clients c set flags = array_remove(c.flags, word) where c.id = any (client_ids);
    end if;
    return jsonb_build_object('changed', cardinality(client_ids), 'errors', jsonb_build_array());
  exception
    when others then
      get stacked diagnostics v_state = returned_sqlstate, v_error = message_text;
      -- the server itself is in trouble: no client is to blame
      if left(v_state, 2) in ('53', '57', '58', 'XX') then
        raise;
      end if;
  end;

  if v_half = 0 then
    return jsonb_build_object('changed', 0, 'errors', jsonb_build_array(
      jsonb_build_object('client_id', client_ids[1], 'error', v_error)
    ));
  end if;
  v_left := jobs.change_clients(change, action, word, client_ids[:v_half]);
  v_right := jobs.change_clients(change, action, word, client_ids[v_half + 1:]);
  return jsonb_build_object(
    'changed', (v_left ->> 'changed')::bigint + (v_right ->> 'changed')::bigint,
    'errors', (v_left -> 'errors') || (v_right -> 'errors')
  );
end
$$;
