-- Keep the outcome of a trial for health, and return it as a finding. A trial that was kept waiting, or that the server
-- could not carry out, says nothing about the host's objects, so it isn't kept.
create or replace function ops.record_trial(error ops.trial_error)
returns ops.finding
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_finding ops.finding;
begin
  if error.way is not null then
    v_finding := ops.trial_finding(error);
  end if;
  if v_finding.severity is distinct from 'notice' then
    insert into public.stage_trials (tried_at, failure)
    values (clock_timestamp(), case when v_finding.finding is not null then to_jsonb(v_finding) end)
    on conflict on constraint stage_trials_pkey do update
    set tried_at = excluded.tried_at, failure = excluded.failure;
  end if;
  return v_finding;
end
$$;
