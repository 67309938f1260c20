-- The search path of a login in this database; without a login, of the logins that have no setting.
create or replace function rules.path_of(login oid default null)
returns text
language plpgsql
stable
as $$
#variable_conflict use_variable
begin
  return coalesce(
    (
      select substr(own.line, length('search_path=') + 1)
      from pg_catalog.pg_db_role_setting s
      cross join lateral unnest(s.setconfig) as own (line)
      where s.setrole in (coalesce(login, 0), 0)
        and s.setdatabase in (
          (select d.oid from pg_catalog.pg_database d where d.datname = current_database()), 0
        )
        and own.line like 'search_path=%'
      order by s.setrole desc, s.setdatabase desc
      limit 1
    ),
    (select s.reset_val from pg_catalog.pg_settings s where s.name = 'search_path')
  );
end
$$;
