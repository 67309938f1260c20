create or replace function api.call_by_name(bytea)
returns api."application/json"
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_headers jsonb := nullif(current_setting('request.headers', true), '')::jsonb;
  v_called  text  := coalesce(v_headers ->> 'x-atlas-function', '');
  v_said    jsonb;
  v_written json;
  v_ids     jsonb;
  v_answer  json;
begin
  -- GUARD
  if v_headers ? 'x-atlas-query' then
    perform set_config('transaction_read_only', 'on', true);  -- as PostgREST does it for GET
    v_said := rules.query_arguments(v_headers ->> 'x-atlas-query');
    v_written := v_said::text::json;
  else
    v_said := rules.body_arguments($1);
    v_written := coalesce(nullif(btrim(convert_from($1, 'UTF8'), E' \t\r\n'), ''), '{}')::json;
  end if;
  v_ids := rules.named_clients(v_called, v_said);
  if v_ids <> '{}' then
    v_said := v_said || v_ids;
    v_written := (
      select json_object_agg(w.key, coalesce((v_ids -> w.key)::json, w.value)) from json_each(v_written) as w
    );
  end if;
  perform rules.require_arguments(v_called, v_said, v_written);
  -- what was refused is not done again, for it may have been done; but no call was ever made with a slug as an id
  if v_headers ? 'x-atlas-refused' and v_ids = '{}' then
    perform rules.refuse('service_away');
  end if;

  -- ACT: every name is quoted where it stands, which the checker does not see in a query
  -- @plpgsql_check_options: security_warnings = off
  execute (
    select format(
      'select api.%I(%s)::json from jsonb_to_record($1) as r (%s)',
      v_called,
      string_agg(format('%1$I => r.%1$I', a.name), ', '),
      string_agg(format('%I %s', a.name, a.type::regtype), ', ')
    )
    from pg_catalog.pg_proc p
    cross join unnest(p.proargnames, p.proargtypes::oid[]) as a (name, type)
    where p.pronamespace = 'api'::regnamespace
      and p.proname = v_called
      and v_said ? a.name
    having count(*) > 0
    union all
    select format('select api.%I()::json', v_called)
    where v_said = '{}'
  )
  into v_answer
  using v_said;
  return v_answer;
end
$$;

comment on function api.call_by_name(bytea) is
'For the gateway: a call whose arguments the rules read themselves.
PostgREST would not read them as they are meant, a slug in the place of an id among them, or has refused the call in words of its own.
The gateway''s headers name the function and hold the query of a read; the body of any other call is the JSON object of its arguments. Called as /rpc/call_by_name it is refused: no function is named.
Answers what the function does.
Errors: those of the function; body_not_valid, unknown_argument, argument_missing, argument_not_valid (400), function_not_found (404); service_away (503) where PostgREST has refused the call and nothing is wrong with it.';
