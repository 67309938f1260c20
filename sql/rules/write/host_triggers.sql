-- The host's triggers on `clients` that fire. SQL, so that the planner inlines it.
create or replace function rules.host_triggers()
returns setof pg_catalog.pg_trigger
language sql
stable
as $$
  select t.*
  from pg_catalog.pg_trigger t
  join pg_catalog.pg_proc p on p.oid = t.tgfoid
  where t.tgrelid = 'public.clients'::regclass
    and not t.tgisinternal
    and t.tgenabled <> 'D'
    and p.pronamespace <> 'rules'::regnamespace
$$;
