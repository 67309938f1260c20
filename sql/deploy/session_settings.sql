-- Settings for a session of the deploy. $1: its application name; $2: how long it waits for a lock.
-- A role's own limits are meant for its ordinary work: they would end the deploy halfway.
select
  set_config('application_name', $1, false),
  set_config('lock_timeout', $2, false),
  set_config('search_path', 'public', false),
  set_config('quote_all_identifiers', 'off', false),
  set_config('timezone', 'UTC', false),
  set_config('statement_timeout', '0', false),
  set_config('idle_in_transaction_session_timeout', '0', false),
  set_config('idle_session_timeout', '0', false);
