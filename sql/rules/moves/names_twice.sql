-- Whether a batch of moves names a client or a key more than once.
create or replace function rules.names_twice(items rules.move_item[])
returns boolean
language plpgsql
immutable
as $$
#variable_conflict use_variable
begin
  return exists (
    select
    from unnest(items) i
    cross join lateral (values ('client', i.client_id::text), ('key', (i.context).external_id)) as named (what, name)
    where named.name is not null
    group by named.what, named.name
    having count(*) > 1
  );
end
$$;
