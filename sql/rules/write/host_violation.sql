-- Turn an error from writing `clients` into a violation that identifies the host's constraint or trigger. Returns null
-- if the error is already ours or the server's (shutdown, disk, read-only): the caller re-raises it.
create or replace function rules.host_violation(
  state           text,              -- SQLSTATE, message, constraint and table of the error
  message         text,
  constraint_name text default null,
  table_name      text default null
)
returns rules.violation
language plpgsql
stable
as $$
#variable_conflict use_variable
begin
  return case
    -- 25006: the server is read-only
    when left(state, 2) in ('PT', '53', '57', '58', 'XX') or state = '25006' then null
    when state in ('40P01', '55P03') then ('client_locked', null)::rules.violation
    when left(state, 2) = '40' then ('retry', null)::rules.violation
    -- the answer of this key was pruned, and history still has the key
    when constraint_name = 'stage_history_external_id_uniq' then ('idempotency_key_reused', null)::rules.violation
    -- a transaction that this one can't see changed the client
    when constraint_name = 'stage_history_client_version_uniq' then ('client_locked', null)::rules.violation
    -- a trigger of the host changed the stage, so our own constraint failed
    when left(state, 2) = '23' and constraint_name <> '' and constraint_name <> 'clients_in_close_check' then (
      case
        when state = '23505' and exists (
          select
          from pg_catalog.pg_constraint k
          join pg_catalog.pg_attribute a on a.attrelid = k.conrelid and k.conkey = array[a.attnum]
          where k.conrelid = 'public.clients'::regclass and k.conname = constraint_name and a.attname = 'slug'
        ) then 'slug_taken'
        else 'host_constraint'
      end,
      jsonb_build_object('constraint', constraint_name, 'table', table_name)
    )::rules.violation
    else ('host_trigger_failed', jsonb_build_object(
      'said', left(message, 2000),
      'sqlstate', state,
      'triggers', (select coalesce(jsonb_agg(t.tgname order by t.tgname), '[]') from rules.host_triggers() t)
    ))::rules.violation
  end;
end
$$;
