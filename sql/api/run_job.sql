create or replace function api.run_job(
  job     text,
  dry_run boolean default false
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
begin
  perform rules.require_permission(rules.current_actor(), 'can_admin');
  return jobs.run(job, dry_run => coalesce(dry_run, false));
end
$$;

comment on function api.run_job(text, boolean) is
'Run a scheduled job now if it is due. With dry_run, only report what would change.
The run is one transaction and has to end within 30 seconds.
job: one of those that the function jobs lists. Needs can_admin.
Returns the run: run_id, job, due_at, as_of, outcome (done, failed, skipped, busy or nothing_due), started_at, finished_at, seconds, attempts, counts
and error. With dry_run: would_change, would_skip, rows and the clients that the job only names.
Errors: permission_missing (403); unknown_job (422); client_locked, retry (503).';
