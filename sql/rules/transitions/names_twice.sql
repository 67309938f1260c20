-- Whether a batch of moves names a client or a key more than once.
create or replace function rules.names_twice(moves jsonb[])
returns boolean
language plpgsql
immutable
as $$
begin
  return exists (
    select
    from unnest(moves) as move
    cross join lateral (values ('client', move ->> 'client_id'), ('key', move ->> 'key')) as named (what, name)
    where named.name is not null
    group by named.what, named.name
    having count(*) > 1
  );
end
$$;
