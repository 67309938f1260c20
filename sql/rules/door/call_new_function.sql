-- Call a function of `api` that was made after the deploy that wrote rules.call_function.
create or replace function rules.call_new_function(
  called  text,
  said    jsonb,
  by_path jsonb,
  body    bytea
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
  execute format('select %s from (select $1 as said, $2 as by_path, $3 as body) as a', v_text.checked)
  into said using said, by_path, body;
  execute format('select %s from (select $1 as said) as a', v_text.call) into v_answer using said;
  return v_answer;
exception when read_only_sql_transaction then
  perform rules.refuse_to_write(body);
end
$$;
