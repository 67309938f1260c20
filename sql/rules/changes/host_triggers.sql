-- The triggers on `clients` that are not ours, by name.
create or replace function rules.host_triggers()
returns jsonb
language plpgsql
stable
as $$
#variable_conflict use_variable
begin
  return (
    select coalesce(jsonb_agg(t.tgname order by t.tgname), '[]')
    from pg_catalog.pg_trigger t
    join pg_catalog.pg_proc p on p.oid = t.tgfoid
    where t.tgrelid = 'public.clients'::regclass
      and not t.tgisinternal
      and p.pronamespace <> 'rules'::regnamespace
  );
end
$$;
