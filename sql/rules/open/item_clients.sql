-- OPEN: the clients that a batch is about, also those of items that can't be read.
create or replace function rules.item_clients(items jsonb)
returns bigint[]
language sql
immutable
as $$
  select array(
    select distinct n.id::bigint
    from jsonb_array_elements(items) as i (item)
    -- a condition beside the cast would not protect it
    cross join lateral (
      select case when jsonb_typeof(i.item -> 'client_id') = 'number' then (i.item -> 'client_id')::numeric end as id
    ) as n
    where n.id between -9223372036854775808 and 9223372036854775807
  )
$$;
