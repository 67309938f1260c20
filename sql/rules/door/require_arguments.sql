-- Refuse arguments that PostgREST would not call this function with: one that the function does not have, one that is
-- missing, one that cannot be read as its type.
create or replace function rules.require_arguments(
  called  text,   -- a function of api
  said    jsonb,
  written json    -- the same as it was sent: 1e2 is no whole number to PostgREST, and 100 to jsonb
)
returns void
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_known    text[];
  v_required text[];
  v_name     text;
  v_type     regtype;
begin
  -- one without named arguments is for the gateway alone
  select coalesce(p.proargnames, '{}'), coalesce(p.proargnames[:p.pronargs - p.pronargdefaults], '{}')
  into v_known, v_required
  from pg_catalog.pg_proc p
  where p.pronamespace = 'api'::regnamespace
    and p.proname = called
    and (p.pronargs = 0 or p.proargnames is not null);
  if not found then
    perform rules.refuse('function_not_found', jsonb_build_object('function', left(called, 200)));
  end if;

  v_name := (select min(s.name) from jsonb_object_keys(said) as s (name) where s.name <> all (v_known));
  if v_name is not null then
    perform rules.refuse('unknown_argument', jsonb_build_object('argument', left(v_name, 200), 'known', to_jsonb(v_known)));
  end if;
  v_name := (select min(r.name) from unnest(v_required) as r (name) where not said ? r.name);
  if v_name is not null then
    perform rules.refuse('argument_missing', jsonb_build_object('argument', v_name, 'required', to_jsonb(v_required)));
  end if;

  for v_name, v_type in
    select a.name, a.type::regtype
    from pg_catalog.pg_proc p
    cross join unnest(p.proargnames, p.proargtypes::oid[]) as a (name, type)
    where p.pronamespace = 'api'::regnamespace
      and p.proname = called
      and said ? a.name
    order by a.name
  loop
    begin
      execute format('select from json_to_record($1) as r (%I %s)', v_name, v_type) using written;
    exception when data_exception then
      perform rules.refuse('argument_not_valid', jsonb_build_object('argument', v_name, 'expected', v_type::text));
    end;
  end loop;
end
$$;
