-- Try plain SQL as a login, and roll back. Returns what failed first, null if nothing did. A change that the login's
-- actor has no permission for is no failure. Not SECURITY DEFINER: only so can it become the login.
create or replace function ops.try_plain_sql(
  login text,
  path  text,    -- the login's search path
  ways  jsonb
)
returns ops.trial_error
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_try   record;
  v_step  text := 'begin';
  v_error ops.trial_error;
begin
  if not has_table_privilege(login, 'public.clients', 'select')
    or not has_table_privilege(login, 'public.clients', 'insert')
    or not has_table_privilege(login, 'public.clients', 'update')
  then
    return null;
  end if;
  set constraints public.clients_version_recorded_fkey deferred;   -- the session may have set it immediate
  if login <> session_user then
    perform set_config('session_authorization', login, true);
  elsif (ways ->> 'operator')::boolean then
    perform set_config('atlas.act_as', ways ->> 'admin', true);
  end if;
  perform set_config('lock_timeout', '500ms', true);
  perform set_config('search_path', path, true);

  for v_try in
    values
      ('insert a client', 'insert into public.clients (id, name, slug) overriding system value values ($1, $2, $3)', ''),
      ('change a name', 'update public.clients set name = name where id = $1', ''),
      ('change the notes', 'update public.clients set stage_notes = $2 where id = $1', 'PT403'),
      ('set a flag', 'update public.clients set flags = array[$4] where id = $1 and $4 is not null', 'PT403'),
      ('move a client', 'update public.clients set stage = coalesce($5, stage) where id = $1', 'PT403')
  loop
    v_step := v_try.column1;
    begin
      -- each statement is one of the constants above
      -- @plpgsql_check_options: security_warnings = off
      execute v_try.column2
      using (ways ->> 'client_id')::bigint, ways ->> 'name', ways ->> 'slug', ways ->> 'flag', ways ->> 'stage';
    exception
      when others then
        if sqlstate is distinct from v_try.column3 then
          raise;
        end if;
    end;
  end loop;
  -- in this block: what an inner one sets would outlive the rollback of this one
  v_step := 'commit';
  set constraints all immediate;
  raise sqlstate 'ATLOK';
exception
  when sqlstate 'ATLOK' then
    return null;
  when others then
    get stacked diagnostics
      v_error.state = returned_sqlstate, v_error.message = message_text, v_error.detail = pg_exception_detail,
      v_error.context = pg_exception_context, v_error.constraint_name = constraint_name,
      v_error.table_name = table_name, v_error.column_name = column_name, v_error.type_name = pg_datatype_name;
    v_error.way := 'plain SQL as ' || login;
    v_error.step := v_step;
    return v_error;
end
$$;
