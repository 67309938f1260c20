-- The arguments of a call that came by a REST path: those of the path, which the gateway hands over as X-Atlas-Path-…
-- headers, and those of the body, each an argument of the function and of its type, without being bent into it.
create or replace function rules.call_arguments(
  called  text,    -- a function of api
  by_path text[],  -- its arguments that the path gives
  body    bytea
)
returns jsonb
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_headers json := nullif(current_setting('request.headers', true), '')::json;
  v_said    jsonb := rules.body_arguments(body);
  v_types   jsonb;
  v_name    text;
  v_text    text;
begin
  select jsonb_object_agg(a.name, a.type::regtype::text)
  into v_types
  from pg_catalog.pg_proc p
  cross join unnest(p.proargnames, p.proargtypes::oid[]) as a (name, type)
  where p.pronamespace = 'api'::regnamespace
    and p.proname = called;
  v_name := (select min(b.name) from jsonb_object_keys(v_said) as b (name) where not v_types - by_path ? b.name);
  if v_name is not null then
    perform rules.refuse('unknown_argument', jsonb_build_object(
      'argument', left(v_name, 200), 'known', (select jsonb_agg(k.name) from jsonb_object_keys(v_types - by_path) as k (name))
    ));
  end if;

  foreach v_name in array by_path loop
    v_text := v_headers ->> ('x-atlas-path-' || translate(v_name, '_', '-'));
    if v_text is null then
      perform rules.refuse('argument_not_valid', jsonb_build_object('argument', v_name, 'expected', 'in the path'));
    end if;
    -- a path has text only, so digits are a number where the argument is one, and other text is a client's slug
    v_said := v_said || jsonb_build_object(v_name, case
      when v_types ->> v_name = 'bigint' and v_text ~ '^[0-9]{1,100}$' then to_jsonb(v_text::numeric)
      when v_name = 'client_id' then to_jsonb(rules.client_id_of(v_text))
      else to_jsonb(v_text)
    end);
  end loop;

  select min(s.key)
  into v_name
  from jsonb_each(v_said) as s
  where not case
    when jsonb_typeof(s.value) = 'null' or v_types ->> s.key = 'jsonb' then true
    when v_types ->> s.key = 'text' then jsonb_typeof(s.value) = 'string'
    when jsonb_typeof(s.value) = 'number' and v_types ->> s.key = 'bigint' then
      s.value::numeric % 1 = 0 and s.value::numeric between -9223372036854775808 and 9223372036854775807
    when v_types ->> s.key = 'text[]' then
      jsonb_typeof(s.value) = 'array' and not jsonb_path_exists(s.value, 'strict $[*] ? (@.type() != "string")')
    else jsonb_typeof(s.value) = v_types ->> s.key
  end;
  if v_name is not null then
    perform rules.refuse('argument_not_valid', jsonb_build_object('argument', v_name, 'expected', v_types -> v_name));
  end if;
  -- null is left to the default
  return coalesce((select jsonb_object_agg(s.key, s.value) from jsonb_each(v_said) s where s.value <> 'null'), '{}');
end
$$;
