-- What a method and a path of the plan mean: the endpoint as rules.paths() has it, and the arguments
-- that the path gives, as texts by name; null: none. A client's id is digits then.
create or replace function rules.path_endpoint(
  method       text,
  path         text,
  out endpoint jsonb,
  out texts    jsonb
)
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  -- '', api, clients, an id, stage_history, an id, rollback: from the fourth part on, every second
  -- part is a value
  v_parts  text[] := string_to_array(path, '/');
  v_first  constant text := v_parts[4];
  v_second constant text := v_parts[6];
  v_shape  text;
begin
  if v_first <> '' then
    v_parts[4] := '*';
    if v_second <> '' then
      v_parts[6] := '*';
    end if;
  end if;
  v_shape := array_to_string(v_parts, '/');
  endpoint := rules.paths() -> v_shape -> method;
  if endpoint is null then
    endpoint := rules.paths() -> v_shape -> replace(method, 'HEAD', 'GET');
    if endpoint is null then
      perform rules.refuse_method(array(select jsonb_object_keys(rules.paths() -> v_shape)));
    end if;
  end if;
  if v_first is null then
    return;
  end if;

  if v_first ~ '^[0-9]{1,18}$' then
    texts := jsonb_build_object(endpoint #>> '{by_path,0}', v_first);
  elsif endpoint #>> '{by_path,0}' = 'actor_id' then
    texts := jsonb_build_object('actor_id', rules.url_decoded(v_first));
  elsif strpos(v_first, '%') > 0 then
    -- decode nothing else, so no two paths identify the same client
    perform rules.refuse('path_not_found');
  else
    texts := jsonb_build_object('client_id', rules.client_id_of(v_first)::text);
  end if;
  if v_second is not null then
    if strpos(v_second, '%') > 0 then
      perform rules.refuse('path_not_found');
    end if;
    texts := texts || jsonb_build_object(endpoint #>> '{by_path,1}', v_second);
  end if;
end
$$;
