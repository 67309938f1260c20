-- Check the arguments of a call against the function's declaration, and make the call. Arguments, types, defaults and
-- whether it writes are read from the catalog each time: that takes 3 microseconds, and no list of ours can go stale.
create or replace function rules.call_function(
  called  text,   -- a function of api
  by_path jsonb,  -- the arguments that a path gives, as texts
  said    jsonb,  -- the others: those of a body, or as texts those of a query
  written json    -- the body as it was sent; null: a query
)
returns json
language plpgsql
volatile
as $$
#variable_conflict use_variable
declare
  v_names    text[];
  v_types    regtype[];
  v_required text[];
  v_writes   boolean;
  v_known    text[];  -- what a body or a query may name
  v_name     text;
  v_call     text;
  v_answer   json;
begin
  -- a function whose argument has no name is the gateway's own
  select
    coalesce(p.proargnames, '{}'),
    (p.proargtypes::regtype[])[0:],
    coalesce(p.proargnames[:p.pronargs - p.pronargdefaults], '{}'),
    p.provolatile = 'v'
  into v_names, v_types, v_required, v_writes
  from pg_catalog.pg_proc p
  where p.pronamespace = 'api'::regnamespace
    and p.proname = called
    and (p.pronargs = 0 or p.proargnames is not null);
  if not found then
    perform rules.refuse('function_not_found', jsonb_build_object('function', left(called, 200)));
  end if;

  v_known := v_names;
  if by_path <> '{}' then
    v_known := array(select n.name from unnest(v_names) as n (name) where not by_path ? n.name);
  end if;
  if said - v_known <> '{}' then
    v_name := (select min(s.name) from jsonb_object_keys(said - v_known) as s (name));
    perform rules.refuse(
      case when written is null and by_path ? v_name then 'argument_twice' else 'unknown_argument' end,
      jsonb_build_object('argument', left(v_name, 200), 'known', v_known)
    );
  end if;
  -- the function itself refuses what the body of a path leaves out
  if by_path = '{}' and not said ?& v_required then
    v_name := (select min(r.name) from unnest(v_required) as r (name) where not said ? r.name);
    perform rules.refuse('argument_missing', jsonb_build_object('argument', v_name, 'required', v_required));
  end if;

  -- every name in it is quoted, which the checker doesn't see
  -- @plpgsql_check_options: security_warnings = off
  v_call := format(
    'select to_json(api.%I(%s))', called, rules.argument_list(v_names, v_types, v_required, by_path, said || by_path, written)
  );
  if v_writes and current_setting('transaction_read_only') = 'on' then
    begin
      execute v_call into v_answer using said || by_path;
    exception when read_only_sql_transaction then
      if written is null then
        perform rules.refuse_method('{POST}');
      end if;
      perform rules.refuse('service_away');  -- a standby
    end;
    return v_answer;
  end if;
  if v_writes and current_setting('atlas.token_use_is_old', true) = 'true' then
    perform rules.mark_token_use();
  end if;
  execute v_call into v_answer using said || by_path;
  return v_answer;
end
$$;
