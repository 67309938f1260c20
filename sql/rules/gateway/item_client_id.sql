-- The client that an item of a batch names, by its slug or its id. A number goes as it is written: a fraction is
-- refused, and not rounded to another client. SQL, so that it becomes part of what asks.
create or replace function rules.item_client_id(item jsonb)
returns bigint
language sql
stable
as $$
  select case
    when jsonb_typeof(item -> 'client_id') = 'string' then rules.client_id_of(item ->> 'client_id')
    else (item ->> 'client_id')::bigint
  end
$$;
