-- Make the call that the gateway hands on, or say what is wrong with it: its headers name the function and hold the
-- query of a read, the body is the JSON object of the arguments of any other call.
create or replace function rules.call_by_name(body bytea)
returns json
language plpgsql
volatile
as $$
#variable_conflict use_variable
declare
  v_headers jsonb := nullif(current_setting('request.headers', true), '')::jsonb;
  v_called  text  := coalesce(v_headers ->> 'x-atlas-function', '');
  v_said    jsonb;
  v_written json;
  v_ids     jsonb;
begin
  -- GUARD
  if v_headers ? 'x-atlas-query' then
    perform set_config('transaction_read_only', 'on', true);  -- as PostgREST does it for GET
    v_said := rules.query_arguments(v_headers ->> 'x-atlas-query');
    v_written := v_said::text::json;
  else
    v_said := rules.body_arguments(body);
    v_written := coalesce(nullif(btrim(convert_from(body, 'UTF8'), E' \t\r\n'), ''), '{}')::json;
  end if;
  v_ids := rules.named_clients(v_called, v_said);
  if v_ids <> '{}' then
    v_said := v_said || v_ids;
    v_written := (
      select json_object_agg(w.key, coalesce((v_ids -> w.key)::json, w.value)) from json_each(v_written) as w
    );
  end if;
  perform rules.require_arguments(v_called, v_said, v_written);
  -- what was refused is not done again, for it may have been done; but no call was ever made with a slug as an id, and
  -- where nothing can be written, what writes is not for here
  if v_headers ? 'x-atlas-refused' and (
    v_ids = '{}' or (
      current_setting('transaction_read_only') = 'on'
      and exists (
        select from pg_catalog.pg_proc p
        where p.pronamespace = 'api'::regnamespace
          and p.proname = v_called
          and p.provolatile = 'v'
      )
    )
  ) then
    perform rules.refuse('service_away');
  end if;

  -- ACT
  return rules.dispatch(v_called, v_said);
end
$$;
