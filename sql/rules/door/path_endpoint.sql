-- The function that a method and a path of the plan mean, and the arguments that the path gives it, as texts.
create or replace function rules.path_endpoint(
  method   text,
  path     text,
  out called   text,
  out by_path  jsonb,
  out by_query jsonb   -- arguments of the query that have another name there
)
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  -- '', api, clients, an id, stage_history, an id, rollback: from the fourth part on, every second one is a value
  v_parts  constant text[] := string_to_array(path, '/');
  v_values constant text[] := array_remove(array[v_parts[4], v_parts[6]], null);
  v_shape  constant text := concat_ws(
    '/', '', v_parts[2], v_parts[3],
    case when v_parts[4] <> '' then '*' else v_parts[4] end, v_parts[5],
    case when v_parts[6] <> '' then '*' else v_parts[6] end, v_parts[7], v_parts[8]
  );
  v_names  text[];
begin
  select p.called, p.by_path, p.by_query
  into called, v_names, by_query
  from rules.paths() p
  where p.path = v_shape
    and p.method = case method when 'HEAD' then 'GET' else method end;
  if not found then
    perform rules.refuse_method(array(select p.method from rules.paths() p where p.path = v_shape));
  end if;

  by_path := jsonb_object(v_names, v_values);
  if by_path ? 'actor_id' then
    by_path := jsonb_build_object('actor_id', rules.url_decoded(by_path ->> 'actor_id'));
  elsif path like '%\%%' then
    -- nothing else is decoded, so that no two paths mean the same client
    perform rules.refuse('path_not_found');
  elsif by_path ->> 'client_id' !~ '^[0-9]+$' then
    by_path := by_path || jsonb_build_object('client_id', rules.client_id_of(by_path ->> 'client_id')::text);
  end if;
end
$$;
