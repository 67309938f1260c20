-- The arguments of a call, once the function knows each name and each value has its argument's
-- type: the JSON type in a body, a text that can be read as the type in a query or path.
create or replace function rules.checked_arguments(
  said     jsonb,      -- the arguments of the body or query
  by_path  jsonb,      -- those of the path, as texts; null: no path of the plan
  written  text,       -- the body; null: said has the texts of a query
  names    text[],     -- as the function declares them
  types    jsonb,      -- by name
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
  v_value   jsonb;
  v_type    text;
  v_kind    text;  -- the JSON type; text: it came in a query or path
  v_written text;
begin
  if said = '{}' and by_path - 'client_id' = '{}' then
    return by_path;  -- the id, which rules.path_endpoint has checked
  end if;
  -- the function itself refuses what the body of a path leaves out
  if v_all - names <> '{}' or (by_path is null and not said ?& required) then
    perform rules.refuse_argument_names(said, by_path, written is null, names, required);
  end if;

  -- in small steps, because a request pays for every operator of an expression, even one that isn't reached
  foreach v_name in array names loop
    v_value := v_all -> v_name;
    continue when v_value is null;
    v_kind := jsonb_typeof(v_value);
    if written is null then
      v_kind := 'text';
    end if;
    if by_path is not null then
      if by_path ? v_name then
        if said ? v_name then
          perform rules.refuse_argument_names(said, by_path, written is null, names, required);
        end if;
        continue when v_name = 'client_id';
        v_kind := 'text';
      end if;
    end if;
    v_type := types ->> v_name;
    if v_type = 'text' then
      continue when v_kind in ('string', 'text', 'null');
    else
      continue when v_kind = 'null' or v_type = 'jsonb';
      v_written := null;
      if v_kind = 'text' then
        v_written := v_value #>> '{}';
      elsif v_kind in ('number', 'array') then
        v_written := written::json ->> v_name;  -- jsonb has 100 for 1e2
      end if;
      continue when v_type in ('bigint', 'integer') and v_written ~ '^[0-9]{1,9}$';
      continue when rules.is_of_type(v_value, v_type::regtype, v_kind, v_written);
    end if;
    perform rules.refuse('argument_not_valid', jsonb_build_object(
      'argument', v_name, 'expected', v_type
    ));
  end loop;
  return v_all;
end
$$;
