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
-- The trial isn't SECURITY DEFINER, so its caller needs its parts. They change nothing.
grant execute on function
  ops.trial(boolean),
  ops.trial_ways(),
  ops.try_rules(jsonb),
  ops.try_plain_sql(text, text, jsonb),
  ops.record_trial(ops.trial_error)
to atlas_cron, atlas_operator;
-- The scheduler's login can prune expired keys and runs.
grant usage on schema ops to atlas_cron;
grant execute on function ops.prune(integer) to atlas_cron, atlas_operator;

-- A request without a token runs as atlas_anon. So does the pre-request function, which resolves the token.
grant execute on function api.health() to atlas_anon;
-- write_clients compares the stored row with the intended one.
grant execute on function rules.state_of(public.clients), rules.trial_client() to atlas_writer;
-- atlas_writer needs CREATE only during a deploy, to own its functions. Only the owner calls those.
revoke create on schema rules from atlas_writer;

grant usage on schema rules to atlas_anon;
grant execute on function rules.pre_request(), rules.token_actor() to atlas_anon;

reset role;

-- A host trigger on `clients` finds the names that it finds in the host's sessions. pg_temp is last, so no temporary
-- object takes the place of one. The bodies of these functions qualify every name.
do $$
declare
  v_writer regprocedure;
begin
  for v_writer in
    select p.oid
    from pg_catalog.pg_proc p
    where p.pronamespace = 'rules'::regnamespace
      and p.proowner = 'atlas_writer'::regrole
      and p.prosecdef
  loop
    execute format(
      'alter function %s set search_path = %s, pg_temp', v_writer, array_to_string(rules.writer_path(), ', ')
    );
  end loop;
end
$$;

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

-- A client has the month of a close exactly while it is in one, and each move of a close has its month. That holds only
-- with the triggers, so it comes after them: once, for what was written before. Moves from before have the month that
-- their payload says, or that was being closed then; a move inside a close has the month of the opening before it.
do $$
begin
  if 2 = (
    select count(*) from pg_catalog.pg_constraint k
    where (k.conrelid, k.conname) in (
      ('public.clients'::regclass, 'clients_in_close_check'),
      ('public.stage_history'::regclass, 'stage_history_in_close_check')
    )
  ) then
    return;
  end if;
  alter table public.stage_history disable trigger stage_history_append_only;
  with opened as (
    select
      h.id, h.client_id, h.version, h.close_period, h.occurred_at,
      case
        when h.close_period is null and h.trigger_type <> 'rollback'
          and rules.in_close(h.from_stage, h.from_returning_to) is not true
          then coalesce(
            substring(h.payload ->> 'period' from '^[0-9]{4}-(?:0[1-9]|1[0-2])$'),
            to_char(rules.firm_time(h.occurred_at) - interval '15 days', 'YYYY-MM')
          )
      end as opens
    from public.stage_history h
    where h.to_stage is not null
      and (rules.in_close(h.to_stage, null) or rules.in_close(h.from_stage, h.from_returning_to))
  ),
  numbered as (
    select o.*, count(coalesce(o.close_period, o.opens)) over (partition by o.client_id order by o.version) as nth
    from opened o
  ),
  dated as (
    select n.id, n.close_period, max(coalesce(n.close_period, n.opens)) over (partition by n.client_id, n.nth) as found
    from numbered n
  )
  update public.stage_history h
  set close_period = coalesce(d.found, to_char(rules.firm_time(h.occurred_at) - interval '15 days', 'YYYY-MM'))
  from dated d
  where h.id = d.id
    and d.close_period is null;
  alter table public.stage_history enable always trigger stage_history_append_only;

  alter table public.clients disable trigger clients_stamp_change, disable trigger clients_record_plain_changes;
  -- the host's triggers fire, and find what they find in the host's sessions
  perform set_config('search_path', array_to_string(rules.writer_path(), ', '), true);
  update public.clients c
  set close_period = (
    select h.close_period
    from public.stage_history h
    where h.client_id = c.id and h.close_period is not null
    order by h.version desc
    limit 1
  )
  where rules.in_close(c.stage, c.returning_to_stage)
    and c.close_period is null;
  set local search_path = pg_catalog;
  alter table public.clients enable trigger clients_stamp_change, enable trigger clients_record_plain_changes;

  alter table public.clients drop constraint if exists clients_in_close_check;
  alter table public.clients add constraint clients_in_close_check check (
    (coalesce(returning_to_stage, stage) in ('eom_close', 'eom_review')) = (close_period is not null)
  );
  alter table public.stage_history drop constraint if exists stage_history_in_close_check;
  alter table public.stage_history add constraint stage_history_in_close_check check (
    (close_period is not null) = (
      to_stage is not null
      and (to_stage in ('eom_close', 'eom_review')
        or coalesce(from_returning_to, from_stage, '') in ('eom_close', 'eom_review'))
    )
    -- a rollback can return to a pause in a close, and the row doesn't have the stage that the pause returns to
    or trigger_type = 'rollback'
  );
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
-- a job that only gives back needs no permission (rules.give_back)
where c.about <> '{}' and not exists (
  select from public.agent_permissions as p
  where p.actor_id = 'system:cron:' || c.job
);
