-- Everything that is wrong with this installation: the one list that health and doctor read.
-- Each check is a function in findings/. To add one, write its file and add its name here.
create or replace function ops.findings(deep boolean default false)
returns setof ops.finding
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
-- without this, rendered names depend on the session's search path
set quote_all_identifiers = off
as $$
#variable_conflict use_variable
declare
  v_cheap constant text[] := array[   -- health runs these every minute
    'job_overdue', 'job_failed', 'job_not_started', 'still_closing', 'close_owed', 'token_expires', 'holidays_run_out',
    'trial_failed', 'feed_stopped', 'feed_waits', 'prepared_transaction', 'slot_inactive', 'collation_changed'
  ];
  v_deep  constant text[] := array[   -- only doctor runs these
    'history_mismatch', 'no_admin', 'nobody_may_sign_off', 'api_role_table_right', 'not_as_deployed', 'sequence_behind',
    'can_become_owner', 'can_write', 'default_right', 'operator', 'foreign_object', 'administration_mismatch',
    'administration_altered', 'history_altered', 'host_setting', 'slug_not_unique'
  ];
  v_check text;
begin
  foreach v_check in array v_cheap || case when deep then v_deep else array['recent_history_mismatch'] end loop
    begin
      return query execute format('select f.* from ops.%I() f', v_check);
    exception
      -- a check that fails is itself a finding, and the other checks still run
      when others then
        return next (
          'check_failed', 'error', jsonb_build_object('check', v_check, 'error', sqlerrm),
          format('%s could not be checked: %s', v_check, sqlerrm),
          'fix what the error reports; after a restore, run: atlas-stage migrate'
        )::ops.finding;
    end;
  end loop;
end
$$;

comment on function ops.findings(boolean) is
'List everything that is wrong with this installation, one row per finding; no rows: nothing is wrong.
deep: run every check, as doctor does; otherwise only the checks that are cheap enough to run every minute.';
