-- Try the ways in that need our rights, and roll back: the API as an actor, and every job. Returns what failed
-- first, null if nothing did.
create or replace function ops.try_rules(ways jsonb)
returns ops.trial_error
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_way     text := 'the API';
  v_step    text := 'create a client';
  v_context rules.change_context;
  v_fields  rules.client_fields;
  v_job     record;
  v_error   ops.trial_error;
begin
  v_context.actor_id := ways ->> 'admin';
  v_context.channel := 'api';
  v_context.reason := 'a trial';
  v_context.override := false;
  -- where another session has locked a table, don't make others queue behind the trial
  perform set_config('lock_timeout', '500ms', true);

  set constraints public.clients_version_recorded_fkey deferred;   -- the session may have set it immediate
  perform ops.try_new_client(v_context, ways);
  v_step := 'remove a client';
  perform rules.remove_client(rules.trial_client());
  v_step := 'create a client';
  perform ops.try_new_client(v_context, ways);

  v_context.channel := 'cron';
  for v_job in
    select j.job, j.about[1] as word, s.stage is not null as moves
    from jobs.catalog() j
    left join public.stages s on s.stage = j.about[1]
  loop
    v_way := 'job ' || v_job.job;
    v_step := case when v_job.moves then 'move a client to ' else 'set ' end || v_job.word;
    v_context.actor_id := rules.job_actor(v_job.job);
    perform ops.try_change(case when v_job.moves then 'move' else 'set' end, v_job.word, v_context);
  end loop;

  v_way := 'the API';
  v_context.channel := 'api';
  v_context.actor_id := ways ->> 'admin';
  v_step := 'change a client';
  v_fields.stage_notes := 'a trial';
  perform ops.try_change('update', null, v_context, v_fields);
  v_step := 'set and clear a flag';
  perform ops.try_change('set', f.flag, v_context), ops.try_change('clear', f.flag, v_context)
  from jsonb_to_record(ways) as f (flag text);
  v_step := 'move a client';
  perform ops.try_change('move', next.stage, v_context)
  from (
    select t.to_stage as stage
    from public.clients c
    join public.stage_transitions t on t.from_stage = c.stage
    where c.id = rules.trial_client() and t.permission = 'can_set_stage'
    order by t.to_stage
    limit 1
  ) next;
  v_step := 'read clients';
  perform
    api.client(rules.trial_client()), api.stage_history(rules.trial_client()), api.clients(page_size => 1),
    api.check_stages(array[rules.trial_client()]), api.queue(ways ->> 'admin', 1), api.activity(page_size => 1);
  v_step := 'commit';
  set constraints public.clients_version_recorded_fkey immediate;
  raise sqlstate 'ATLOK';
exception
  when sqlstate 'ATLOK' then
    return null;
  when others then
    get stacked diagnostics
      v_error.state = returned_sqlstate, v_error.message = message_text, v_error.detail = pg_exception_detail,
      v_error.context = pg_exception_context, v_error.constraint_name = constraint_name,
      v_error.table_name = table_name, v_error.column_name = column_name, v_error.type_name = pg_datatype_name;
    v_error.way := v_way;
    v_error.step := v_step;
    return v_error;
end
$$;
