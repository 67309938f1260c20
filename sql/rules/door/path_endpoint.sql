-- What a method and a path of the plan mean: the endpoint as rules.paths() has it, and `texts`, the
-- arguments that the path gives, by name.
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
  -- '', api, clients, an id, stage_history, an id, rollback: from the fourth part on, every second
  -- part is a value
  v_parts text[] := string_to_array(path, '/');
  v_shape constant text := concat_ws(
    '/', '', v_parts[2], v_parts[3],
    case when v_parts[4] <> '' then '*' else v_parts[4] end, v_parts[5],
    case when v_parts[6] <> '' then '*' else v_parts[6] end, v_parts[7], v_parts[8]
  );
  v_found jsonb := rules.paths() -> v_shape -> method;
  v_texts jsonb := '{}';
begin
  if v_found is null then
    v_found := rules.paths() -> v_shape -> replace(method, 'HEAD', 'GET');
    if v_found is null then
      perform rules.refuse_method(array(select jsonb_object_keys(rules.paths() -> v_shape)));
    end if;
  end if;
  if v_parts[4] !~ '^[0-9]+$' or strpos(path, '%') > 0 then
    if v_found #>> '{by_path,0}' = 'actor_id' then
      v_parts[4] := rules.url_decoded(v_parts[4]);
    elsif strpos(path, '%') > 0 then
      -- decode nothing else, so no two paths identify the same client
      perform rules.refuse('path_not_found');
    else
      v_parts[4] := rules.client_id_of(v_parts[4]);
    end if;
  end if;
  if v_parts[4] is not null then
    v_texts := jsonb_build_object(v_found #>> '{by_path,0}', v_parts[4]);
    if v_parts[6] is not null then
      v_texts := v_texts || jsonb_build_object(v_found #>> '{by_path,1}', v_parts[6]);
    end if;
  end if;
  return v_found || jsonb_build_object('texts', v_texts);
end
$$;
