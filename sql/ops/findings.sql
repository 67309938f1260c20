-- Everything that is wrong with this installation: the one list that health and doctor read.
-- A check is a function of its own, in findings/; to add one, write its file and put its name here.
create or replace function ops.findings(deep boolean default false)
returns setof ops.finding
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
-- names are compared as they are written without this
set quote_all_identifiers = off
as $$
declare
  v_cheap constant text[] := array[   -- health asks for these every minute
    'job_overdue', 'job_failed', 'job_not_started', 'still_closing', 'token_expires', 'holidays_run_out'
  ];
  v_deep  constant text[] := array[   -- doctor has time for these
    'history_mismatch', 'no_admin', 'api_role_table_right', 'not_as_deployed', 'sequence_behind',
    'can_become_owner', 'operator', 'host_trigger', 'foreign_object', 'administration_mismatch',
    'administration_altered', 'history_altered', 'host_setting'
  ];
  v_check text;
begin
  foreach v_check in array v_cheap || case when deep then v_deep else array['recent_history_mismatch'] end loop
    begin
      return query execute format('select f.* from ops.%I() f', v_check);
    exception
      -- what cannot be looked at may be wrong too, and keeps no other check from its say
      when others then
        return next (
          'check_failed', 'error', jsonb_build_object('check', v_check, 'error', sqlerrm),
          format('%s could not be checked: %s', v_check, sqlerrm),
          'mend what the error names; after a restore, run: atlas-stage migrate'
        )::ops.finding;
    end;
  end loop;
end
$$;

comment on function ops.findings(boolean) is
'What is wrong with this installation, a row each; no row: all is well.
deep: everything that doctor looks at; without it, what is cheap enough for every minute.';
