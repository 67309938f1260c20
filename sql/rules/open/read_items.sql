-- OPEN: read the items of set_stages, set_flags or update_clients, in their order. Refuses anything but an array of 1
-- to 1,000.
create or replace function rules.read_items(
  items    jsonb,
  actor_id text,
  known    text[]   -- the arguments that an item can have
)
returns rules.item[]
language plpgsql
stable
as $$
#variable_conflict use_variable
begin
  if (jsonb_typeof(items) = 'array' and jsonb_array_length(items) between 1 and 1000) is not true then
    perform rules.refuse('items_not_valid');
  end if;
  return array(
    select rules.read_item(i.place - 1, i.item, actor_id, known)
    from jsonb_array_elements(items) with ordinality as i (item, place)
    order by i.place
  );
end
$$;
