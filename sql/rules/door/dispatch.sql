-- Call a function of api with these arguments, which were looked at: an object of some of its arguments, none null.
create or replace function rules.dispatch(
  called text,
  said   jsonb
)
returns json
language plpgsql
volatile
as $$
#variable_conflict use_variable
declare
  v_answer json;
begin
  -- every name is quoted where it stands, which the checker does not see in a query
  -- @plpgsql_check_options: security_warnings = off
  execute (
    select format(
      'select api.%I(%s)::json from jsonb_to_record($1) as r (%s)',
      called,
      string_agg(format('%1$I => r.%1$I', a.name), ', '),
      string_agg(format('%I %s', a.name, a.type::regtype), ', ')
    )
    from pg_catalog.pg_proc p
    cross join unnest(p.proargnames, p.proargtypes::oid[]) with ordinality as a (name, type, nth)
    where p.pronamespace = 'api'::regnamespace
      and p.proname = called
      -- what has no default is null where it is missing, and the function says so
      and (said ? a.name or a.nth <= p.pronargs - p.pronargdefaults)
    having count(*) > 0
    union all
    select format('select api.%I()::json', called)
    where said = '{}'
  )
  into v_answer
  using said;
  return v_answer;
end
$$;
