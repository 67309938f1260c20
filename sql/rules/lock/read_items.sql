-- Read the clients of items without a lock, and compute what each item would make of its client.
create or replace function rules.read_items(items rules.item[])
returns rules.item[]
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_read record;
begin
  for v_read in
    select i.nth::integer as nth, rules.state_of(c.*) as state
    from unnest(array(select i.client_id from unnest(items) i)) with ordinality as i (client_id, nth)
    join public.clients c on c.id = i.client_id
    where (items[i.nth]).is_evaluated is not null   -- refused when it was opened
      and (items[i.nth]).answer is null
  loop
    items[v_read.nth].before := v_read.state;
    items[v_read.nth].after := rules.state_after(items[v_read.nth]);
    items[v_read.nth].is_evaluated := false;
    items[v_read.nth].violations := null;
  end loop;
  return items;
end
$$;
