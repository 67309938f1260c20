-- A setting of the server or database, as a new session gets it, under which part of this package can't work. A setting
-- of PostgREST's login takes precedence.
create or replace function ops.host_setting()
returns setof ops.finding
language plpgsql
stable
as $$
begin
  return query
    select
      'host_setting', 'error', jsonb_build_object('setting', s.name, 'value', s.reset_val),
      format('%s is %s: %s', s.name, s.reset_val, harm.what),
      harm.todo
    from (values
      (
        'quote_all_identifiers', 'on', 'PostgREST does not know the types of our arguments then, and answers 503',
        'alter role atlas_authenticator set quote_all_identifiers = off; then start PostgREST again'
      ),
      (
        'default_transaction_read_only', 'on', 'no job and no program can change anything',
        format('alter database %I set default_transaction_read_only = off', current_database())
      )
    ) as harm (setting, value, what, todo)
    join pg_catalog.pg_settings s on s.name = harm.setting and s.reset_val = harm.value
    where not exists (
      select
      from pg_catalog.pg_db_role_setting r
      cross join lateral unnest(r.setconfig) as own (said)
      where harm.setting = 'quote_all_identifiers'
        and r.setrole = to_regrole('atlas_authenticator')
        and own.said = 'quote_all_identifiers=off'
    );
end
$$;
