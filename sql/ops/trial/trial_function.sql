-- The host's function in which an error occurred: the innermost one in the error's context that isn't ours.
create or replace function ops.trial_function(context text)
returns regprocedure
language plpgsql
stable
as $$
#variable_conflict use_variable
begin
  return (
    select p.oid::regprocedure
    from unnest(string_to_array(context, chr(10))) with ordinality as frame (line, nth)
    cross join lateral (
      select
        substring(frame.line from '^SQL function "([^"]+)"') as sql_name,
        substring(frame.line from '^PL/pgSQL function (.+[)]) (line|while|during) ') as signature
    ) named
    join pg_catalog.pg_proc p
      on p.proname = named.sql_name
      or right('.' || p.oid::regprocedure::text, length(named.signature) + 1) = '.' || named.signature
    join pg_catalog.pg_namespace n on n.oid = p.pronamespace
    where n.nspname not in ('rules', 'api', 'jobs', 'ops', 'pg_catalog')
    -- of functions with the same name, one that a trigger of `clients` calls
    order by
      frame.nth,
      exists (
        select from pg_catalog.pg_trigger t where t.tgrelid = 'public.clients'::regclass and t.tgfoid = p.oid
      ) desc
    limit 1
  );
end
$$;
