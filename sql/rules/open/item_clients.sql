-- OPEN: the clients that a batch is about, also those of items that can't be read.
create or replace function rules.item_clients(items jsonb)
returns bigint[]
language sql
immutable
as $$
  select array(
    select distinct (i.item -> 'client_id')::bigint
    from jsonb_array_elements(items) as i (item)
    where jsonb_typeof(i.item -> 'client_id') = 'number'
      and (i.item -> 'client_id')::numeric between -9223372036854775808 and 9223372036854775807
  )
$$;
