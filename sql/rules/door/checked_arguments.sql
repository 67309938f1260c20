-- The arguments of a call, once the function knows each name and each value has its argument's
-- type: the JSON type in a body, a text that can be read as the type in a query or path.
create or replace function rules.checked_arguments(
  said     jsonb,      -- the arguments of the body or query
  by_path  jsonb,      -- those of the path, as texts; null: no path of the plan
  body     bytea,      -- null: said has the texts of a query
  names    text[],     -- as the function declares them
  types    regtype[],
  required text[]
)
returns jsonb
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_all     constant jsonb := coalesce(said || by_path, said);
  v_name    text;
  v_type    regtype;
  v_in_path boolean;
  v_kind    text;
  v_text    text;
begin
  -- the function itself refuses what the body of a path leaves out
  if v_all - names <> '{}' or (by_path is null and not said ?& required) then
    perform rules.refuse_argument_names(said, by_path, body, names, required);
  end if;

  -- in small steps, because a request pays for every operator of an expression, even one that isn't reached
  for i in 1 .. cardinality(names) loop
    v_name := names[i];
    continue when not v_all ? v_name;
    v_type := types[i];
    v_in_path := by_path ? v_name;
    if v_in_path and said ? v_name then
      perform rules.refuse_argument_names(said, by_path, body, names, required);
    end if;
    if v_in_path or body is null then
      continue when v_type in ('text'::regtype, 'jsonb'::regtype);
      v_kind := 'text';
      v_text := v_all ->> v_name;
    else
      v_kind := jsonb_typeof(v_all -> v_name);
      continue when v_kind = 'null';
      -- any value; a batch of it is large: it isn't parsed again
      continue when v_type = 'jsonb'::regtype;
      continue when v_kind = 'string' and v_type = 'text'::regtype;
      -- numbers as the caller wrote them: jsonb has 100 for 1e2
      v_text := case when v_kind in ('number', 'array') then convert_from(body, 'UTF8')::json ->> v_name end;
    end if;
    continue when v_type in ('bigint'::regtype, 'integer'::regtype) and v_text ~ '^[0-9]{1,9}$';
    continue when v_type <> 'text'::regtype and rules.is_of_type(v_all -> v_name, v_type, v_kind, v_text);
    perform rules.refuse('argument_not_valid', jsonb_build_object(
      'argument', v_name, 'expected', v_type::text
    ));
  end loop;
  return v_all;
end
$$;
