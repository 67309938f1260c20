-- Who may call what. No role gets a right on a table here.

grant usage on schema api to atlas_anon, atlas_api, atlas_operator;
grant execute on all functions in schema api to atlas_api, atlas_operator;

grant usage on schema rules to atlas_operator;
grant execute on function rules.act_as(text, text) to atlas_operator;

-- The scheduler and the operators may run the jobs; what a job may change, its own grants say.
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
-- This commits, so it runs with the rights of its caller, who needs what it calls.
grant execute on procedure
  jobs.run_in_slices(text, timestamptz, boolean, jsonb, boolean)
to atlas_cron, atlas_operator;
grant execute on function
  jobs.start_run(text, timestamptz, boolean),
  jobs.clients_to_change(bigint),
  jobs.change_slice(bigint, bigint[]),
  jobs.end_run(bigint, bigint[])
to atlas_cron, atlas_operator;

-- What is wrong, for doctor.
grant usage on schema ops to atlas_operator;
grant execute on function ops.findings(boolean) to atlas_operator;
-- What has been kept long enough, the scheduler's login may take away.
grant usage on schema ops to atlas_cron;
grant execute on function ops.prune(integer) to atlas_cron, atlas_operator;

-- A request without a token, and what finds out whether there is one.
grant execute on function api.health() to atlas_anon;
-- write_clients compares what it stored with what was meant.
grant execute on function rules.state_of(public.clients) to atlas_writer;
-- The writer's functions are the owner's to call; what they may do, the writer's own rights say.
revoke create on schema rules from atlas_writer;

grant usage on schema rules to atlas_anon;
grant execute on function rules.pre_request(), rules.token_actor() to atlas_anon;

reset role;

-- From here on as the owner of the tables: triggers that guard, hash and record also fire in
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

-- A new job of the catalog gets the right to change what it is about. A right that an admin revoked stays revoked.
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
