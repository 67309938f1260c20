-- What the request's path says, which the gateway hands over as X-Atlas-Path-… headers. A path has text only, so
-- digits are a number where the argument is one.
create or replace function rules.path_arguments(
  known   jsonb,  -- from rules.arguments_of
  by_path text[]
)
returns jsonb
language plpgsql
stable
as $$
declare
  v_headers jsonb := nullif(current_setting('request.headers', true), '')::jsonb;
  v_path    jsonb := jsonb '{}';
  v_name    text;
  v_text    text;
begin
  foreach v_name in array by_path loop
    v_text := v_headers ->> ('x-atlas-path-' || translate(v_name, '_', '-'));
    if v_text is null then
      perform rules.refuse('argument_not_valid', jsonb_build_object('argument', v_name, 'expected', 'in the path'));
    end if;
    v_path := v_path || jsonb_build_object(v_name, case
      when known ->> v_name = 'bigint' and v_text ~ '^[0-9]{1,100}$' then to_jsonb(v_text::numeric)
      else to_jsonb(v_text)
    end);
  end loop;
  return v_path;
end
$$;
