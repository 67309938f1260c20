-- EXECUTE rights on functions and USAGE on schemas. No role gets a right on a table here.

grant usage on schema api to atlas_anon, atlas_api, atlas_operator;
grant execute on all functions in schema api to atlas_api, atlas_operator;

grant usage on schema rules to atlas_operator;
grant execute on function rules.act_as(text, text) to atlas_operator;

-- The scheduler and the operators can run jobs. What a job can change depends on the grants of its actor.
grant usage on schema jobs to atlas_cron, atlas_operator;
grant execute on function
  jobs.catalog(text),
  jobs.due(timestamptz),
  jobs.instant(timestamp),
  jobs.overdue(timestamptz),
  jobs.plan(text, timestamptz),
  jobs.runs(text, integer, bigint, bigint),
  jobs.run(text, timestamptz, boolean)
to atlas_cron, atlas_operator;
-- This procedure commits, so it can't be SECURITY DEFINER: its caller needs the functions that it calls.
grant execute on procedure
  jobs.run_in_slices(text, timestamptz, boolean, jsonb, boolean)
to atlas_cron, atlas_operator;
grant execute on function
  jobs.start_run(text, timestamptz, boolean),
  jobs.clients_to_change(bigint),
  jobs.change_slice(bigint, bigint[]),
  jobs.end_run(bigint, bigint[])
to atlas_cron, atlas_operator;

-- For `atlas-stage doctor`.
grant usage on schema ops to atlas_operator;
grant execute on function ops.findings(boolean) to atlas_operator;
-- The scheduler's login can prune expired keys and runs.
grant usage on schema ops to atlas_cron;
grant execute on function ops.prune(integer) to atlas_cron, atlas_operator;

-- A request without a token runs as atlas_anon. So does the pre-request function, which resolves the token.
grant execute on function api.health() to atlas_anon;
-- write_clients compares the stored row with the intended one.
grant execute on function rules.state_of(public.clients) to atlas_writer;
-- atlas_writer needs CREATE only during a deploy, to own its functions. Only the owner calls those.
revoke create on schema rules from atlas_writer;

grant usage on schema rules to atlas_anon;
grant execute on function rules.pre_request(), rules.token_actor() to atlas_anon;

reset role;

-- From here on as the owner of the tables. Enable the triggers that guard, hash and record ALWAYS, so they also fire in
-- replica sessions.
do $$
declare
  v_trigger record;
begin
  for v_trigger in
    select t.tgrelid::regclass as table_name, t.tgname
    from pg_catalog.pg_trigger t
    where t.tgfoid in (
      'rules.refuse_history_change()'::regprocedure,
      'rules.refuse_record_change()'::regprocedure,
      'rules.hash_history_row()'::regprocedure,
      'rules.hash_administration_row()'::regprocedure,
      'rules.record_administration()'::regprocedure
    )
      and t.tgenabled <> 'A'
    order by 1, 2
  loop
    execute format('alter table %s enable always trigger %I', v_trigger.table_name, v_trigger.tgname);
  end loop;
end
$$;

-- Give the actor of a new job the permission that its stage or flags need. A grant that an admin revoked stays revoked.
insert into public.agent_permissions (actor_id, permission, scope, granted_by)
select
  'system:cron:' || c.job,
  case when s.stage is null then 'can_set_flag' else 'can_set_stage' end,
  jsonb_build_object(case when s.stage is null then 'flags' else 'to' end, to_jsonb(c.about)),
  'system:install'
from jobs.catalog() as c
left join public.stages as s on s.stage = c.about[1]
where not exists (
  select from public.agent_permissions as p
  where p.actor_id = 'system:cron:' || c.job
);
