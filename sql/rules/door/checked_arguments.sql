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
  v_all  constant jsonb := case when by_path is null then said else said || by_path end;
  v_name text;
  v_type regtype;
  v_kind text;
  v_text text;
begin
  -- the function itself refuses what the body of a path leaves out
  if v_all - names <> '{}' or (by_path is null and not said ?& required) then
    perform rules.refuse_argument_names(said, by_path, body, names, required);
  end if;

  foreach v_name in array names loop
    continue when not v_all ? v_name;
    v_type := types[array_position(names, v_name)];
    v_kind := case
      when by_path ? v_name then case when said ? v_name then 'twice' else 'text' end
      when body is null then 'text'
      else jsonb_typeof(v_all -> v_name)
    end;
    -- numbers as the caller wrote them: jsonb has 100 for 1e2. A jsonb argument takes any value, and
    -- a batch of it is large: it isn't parsed again.
    v_text := case
      when v_type = 'jsonb'::regtype then null
      when v_kind = 'text' then v_all ->> v_name
      when v_kind in ('number', 'array') then convert_from(body, 'UTF8')::json ->> v_name
    end;
    continue when case
      when v_type = 'text'::regtype then v_kind in ('text', 'string', 'null')
      when v_type in ('bigint'::regtype, 'integer'::regtype) and v_text ~ '^[0-9]{1,9}$' then true
      when v_kind = 'null' or v_type = 'jsonb'::regtype then true
      else rules.is_of_type(v_all -> v_name, v_type, v_kind, v_text)
    end;
    if v_kind = 'twice' then
      perform rules.refuse_argument_names(said, by_path, body, names, required);
    end if;
    perform rules.refuse('argument_not_valid', jsonb_build_object(
      'argument', v_name, 'expected', v_type::text
    ));
  end loop;
  return v_all;
end
$$;
