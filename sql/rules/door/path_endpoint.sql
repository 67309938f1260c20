-- What a method and a path of the plan mean, as {called, texts, limit}: the function of `api`, the arguments that the path
-- gives it, as texts, and the argument that the query may call limit.
create or replace function rules.path_endpoint(
  method text,
  path   text
)
returns jsonb
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  -- '', api, clients, an id, stage_history, an id, rollback: from the fourth part on, every second one is a value
  v_parts   constant text[] := string_to_array(path, '/');
  v_methods constant jsonb := rules.paths() -> concat_ws(
    '/', '', v_parts[2], v_parts[3],
    case when v_parts[4] <> '' then '*' else v_parts[4] end, v_parts[5],
    case when v_parts[6] <> '' then '*' else v_parts[6] end, v_parts[7], v_parts[8]
  );
  v_found   constant jsonb := v_methods -> case method when 'HEAD' then 'GET' else method end;  -- the function's name, then its arguments'
  v_value   text := v_parts[4];
begin
  if v_found is null then
    perform rules.refuse_method(array(select m.name from jsonb_object_keys(v_methods - 'limit') as m (name)));
  end if;
  if v_found ->> 1 = 'actor_id' then
    v_value := rules.url_decoded(v_value);
  elsif path like '%\%%' then
    -- nothing else is decoded, so that no two paths mean the same client
    perform rules.refuse('path_not_found');
  elsif v_value !~ '^[0-9]+$' then
    v_value := rules.client_id_of(v_value);
  end if;
  return jsonb_build_object(
    'called', v_found -> 0,
    'texts', case jsonb_array_length(v_found)
      when 1 then '{}'
      when 2 then jsonb_build_object(v_found ->> 1, v_value)
      else jsonb_build_object(v_found ->> 1, v_value, v_found ->> 2, v_parts[6])
    end,
    'limit', v_methods -> 'limit'
  );
end
$$;
