-- Check the host's deferred constraints now, while the client that violates them is known. Only constraints that are
-- deferred anyway are set immediate and back: `set constraints all` would also defer those that the host wants checked
-- at once.
create or replace function rules.check_deferred_constraints(of_clients_only boolean)
returns void
language plpgsql
volatile
as $$
#variable_conflict use_variable
declare
  v_names text;
begin
  if of_clients_only then
    -- one change: an index finds these
    select string_agg(format('%I.%I', k.connamespace::regnamespace, k.conname), ', ')
    into v_names
    from pg_catalog.pg_constraint k
    where k.conrelid = 'public.clients'::regclass
      and k.condeferred
      and k.conname <> 'clients_version_recorded_fkey';
  else
    select string_agg(distinct format('%I.%I', k.connamespace::regnamespace, k.conname), ', ')
    into v_names
    from pg_catalog.pg_constraint k
    where k.condeferred
      and k.conname <> 'clients_version_recorded_fkey';
  end if;
  if v_names is not null then
    -- every name is quoted above
    -- @plpgsql_check_options: security_warnings = off
    execute format('set constraints %s immediate', v_names);
    execute format('set constraints %s deferred', v_names);
  end if;
end
$$;
