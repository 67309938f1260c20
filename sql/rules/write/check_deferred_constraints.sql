-- Check the host's deferred constraints now, while the client that violates them is known. They are checked again at
-- commit, as the host wants it: what the check did is rolled back, so the constraints stay as the session had set them.
-- The host's constraint triggers run here, so it has the rights of the functions that write `clients`.
set local role atlas_writer;

create or replace function rules.check_deferred_constraints(of_clients_only boolean)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_names text;
begin
  select string_agg(distinct format('%I.%I', k.connamespace::regnamespace, k.conname), ', ')
  into v_names
  from pg_catalog.pg_constraint k
  where k.condeferred
    and k.conname <> 'clients_version_recorded_fkey'
    and (not of_clients_only or k.conrelid = 'public.clients'::regclass)
    -- others are checked at commit
    and has_schema_privilege(k.connamespace, 'usage');
  if v_names is not null then
    begin
      -- every name is quoted above
      -- @plpgsql_check_options: security_warnings = off
      execute format('set constraints %s immediate', v_names);
      raise sqlstate 'ATLOK';  -- every check passed
    exception
      when sqlstate 'ATLOK' then null;
    end;
  end if;
end
$$;

grant execute on function rules.check_deferred_constraints(boolean) to atlas_owner;
set local role atlas_owner;
