-- Try every way into `clients`: create, move, flag, change and remove a client, and roll everything back. Returns the
-- first failure as a finding; null: none, or the setting `trial` is off. It sends no NOTIFY, uses up no ids of ours and
-- holds its locks for milliseconds. Not SECURITY DEFINER: for a superuser it also becomes the host's logins.
create or replace function ops.trial(once_a_day boolean default false)
returns ops.finding
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_ways  constant jsonb := ops.trial_ways();
  v_error ops.trial_error;
  v_login record;
begin
  if v_ways is null or once_a_day and (v_ways ->> 'tried_at')::timestamptz > now() - interval '23 hours' then
    return null;
  end if;
  v_error := ops.try_rules(v_ways);
  for v_login in
    select l.login, l.path
    from jsonb_to_recordset(v_ways -> 'logins') as l (login text, path text)
    where l.login = session_user
      or (select r.rolsuper from pg_catalog.pg_roles r where r.rolname = session_user)
  loop
    exit when v_error.way is not null;
    v_error := ops.try_plain_sql(v_login.login, v_login.path, v_ways);
  end loop;
  return ops.record_trial(v_error);
end
$$;

comment on function ops.trial(boolean) is
'Try every way into clients and roll everything back: the API as an actor, each job, and plain SQL as this session''s
login; for a superuser also as each login with an actor and as the owner of clients.
once_a_day: do nothing if one ran in the last 23 hours.
Returns the first failure as a finding, with the host''s object and the lines that fix it; null if all work, or if the
setting trial is off.';
