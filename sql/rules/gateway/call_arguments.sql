-- The arguments of a call that came by a REST path: those of the path, and those of the body, each an argument of
-- the function and of its type. An empty body has none.
create or replace function rules.call_arguments(
  called  text,    -- a function of api
  by_path text[],  -- its arguments that the path gives
  body    text
)
returns jsonb
language plpgsql
stable
as $$
declare
  v_body  jsonb := rules.body_object(body);
  v_known jsonb := rules.arguments_of(called);
  v_said  jsonb;
  v_name  text;
begin
  v_name := (select min(b.name) from jsonb_object_keys(v_body) as b (name) where not v_known - by_path ? b.name);
  if v_name is not null then
    perform rules.refuse('unknown_argument', jsonb_build_object(
      'argument', left(v_name, 200), 'known', (select jsonb_agg(k.name) from jsonb_object_keys(v_known - by_path) as k (name))
    ));
  end if;

  v_said := v_body || rules.path_arguments(v_known, by_path);
  v_name := (select min(s.key) from jsonb_each(v_said) as s where not rules.is_of_type(s.value, v_known ->> s.key));
  if v_name is not null then
    perform rules.refuse('argument_not_valid', jsonb_build_object('argument', v_name, 'expected', v_known -> v_name));
  end if;
  return v_said;
end
$$;
