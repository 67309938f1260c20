-- The arguments of a function of api: an object of names and types.
create or replace function rules.arguments_of(called text)
returns jsonb
language plpgsql
stable
as $$
begin
  return (
    select jsonb_object_agg(a.name, a.type::regtype::text)
    from pg_catalog.pg_proc p
    cross join unnest(p.proargnames, p.proargtypes::oid[]) as a (name, type)
    where p.pronamespace = 'api'::regnamespace
      and p.proname = called
  );
end
$$;
