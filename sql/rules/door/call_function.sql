-- Call a function of `api` with the arguments of a request. The last step of a deploy,
-- rules.write_calls, writes a static call for each function at the beginning of this body; the rest
-- is for a function that is created after the deploy.
create or replace function rules.call_function(
  called  text,
  said    jsonb,  -- the arguments of the body or query
  by_path jsonb,  -- those of the path, as texts; null: no path of the plan
  written text    -- the body; null: said has the texts of a query
)
returns json
language plpgsql
volatile
as $$
#variable_conflict use_variable
declare
  v_text   record;
  v_answer json;
begin
  -- a function whose argument has no name is the gateway's own
  select t.*
  into v_text
  from pg_catalog.pg_proc p
  cross join lateral rules.call_text(p.oid) t
  where p.pronamespace = 'api'::regnamespace
    and p.proname = called
    and (p.pronargs = 0 or p.proargnames is not null);
  if not found then
    perform rules.refuse('function_not_found', jsonb_build_object('function', left(called, 200)));
  end if;
  -- @plpgsql_check_options: security_warnings = off
  execute format('select %s from (select $1, $2, $3) as a (said, by_path, written)', v_text.checked)
  into said using said, by_path, written;
  execute format('select %s from (select $1) as a (said)', v_text.call)
  into v_answer using said;
  return v_answer;
end
$$;
