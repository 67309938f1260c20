-- Settings for a session of the deploy. $1: its application name; $2: how long it waits for a lock.
-- A role's own limits are meant for its ordinary work: they would end the deploy halfway.
-- With public in the path, a login that can create functions there could plant a better match than the catalog's own.
-- PostgreSQL would compile queries of the catalogs (jit) for seconds, to save milliseconds.
-- In a deadlock with the host, the one that waited for deadlock_timeout first is ended: the deploy, which tries again.
select
  set_config('application_name', $1, false),
  set_config('lock_timeout', $2, false),
  set_config('search_path', 'pg_catalog', false),
  set_config('quote_all_identifiers', 'off', false),
  set_config('jit', 'off', false),
  set_config('timezone', 'UTC', false),
  set_config('default_transaction_isolation', 'read committed', false),
  (
    select max(set_config(s.name, '0', false))
    from pg_catalog.pg_settings as s
    where s.name in (
      'statement_timeout', 'idle_in_transaction_session_timeout', 'idle_session_timeout', 'transaction_timeout'
    )
  ),
  case
    when has_parameter_privilege('deadlock_timeout', 'set') then set_config('deadlock_timeout', '50ms', false)
  end;
