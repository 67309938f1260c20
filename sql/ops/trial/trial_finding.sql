-- The failure of a trial in words: the step, the host's object, the error, and the lines that fix it.
create or replace function ops.trial_finding(error ops.trial_error)
returns ops.finding
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_routine constant regprocedure := ops.trial_function(error.context);
  -- no detail: it can have a whole row
  v_facts   constant jsonb := jsonb_build_object(
    'way', error.way, 'step', error.step, 'sqlstate', error.state, 'said', error.message
  );
  v_object  text;
  v_lines   text;
begin
  if error.state in ('53100', '58030') then
    return (
      'trial_failed', 'error', v_facts, format('the server can''t write: %s', error.message),
      'make room on the disk of its data and log, then: atlas-stage doctor'
    )::ops.finding;
  end if;
  -- locks, a cancellation, resources, a read-only server; and a check of names, which may refuse the trial's alone
  if error.state in ('55P03', '57014', '25006')
    or left(error.state, 2) in ('40', '53', '58')
    or ops.trial_name_refused(error)
  then
    return (
      'trial_failed', 'notice', v_facts,
      format('the trial was interrupted: %s: %s: %s', error.way, error.step, error.message), 'run: atlas-stage doctor'
    )::ops.finding;
  end if;

  v_object := coalesce(
    (
      select format('trigger %I', min(t.tgname))
      from pg_catalog.pg_trigger t
      where t.tgrelid = 'public.clients'::regclass and t.tgfoid = v_routine
      having count(*) > 0
    ),
    'function ' || v_routine::text,
    'constraint ' || nullif(error.constraint_name, ''),
    'column ' || nullif(error.column_name, ''),
    (select string_agg(o.object, ' or ' order by o.object) from ops.host_objects_on_clients() o where o.can_rewrite),
    'the database'
  );
  v_lines := ops.trial_lines(error, v_routine);
  return (
    'trial_failed', 'error',
    v_facts || jsonb_build_object('object', v_object),
    format('%s can''t %s: %s stops it: %s', error.way, error.step, v_object, error.message),
    v_lines
  )::ops.finding;
end
$$;
