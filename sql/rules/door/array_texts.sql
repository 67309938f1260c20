-- The elements of an array argument: a JSON array in a body, PostgreSQL's notation in a query.
create or replace function rules.array_texts(value jsonb)
returns text[]
language plpgsql
immutable
as $$
#variable_conflict use_variable
begin
  if jsonb_typeof(value) = 'array' then
    return array(select jsonb_array_elements_text(value));
  end if;
  return (value #>> '{}')::text[];
end
$$;
