-- LOCK: clients in the order of their ids, held against other changes until the transaction ends. Those that there are
-- not, are not in the answer. It waits for who holds one, but not for ever: then it is client_locked.
create or replace function rules.lock_clients(
  client_ids  bigint[],
  skip_locked boolean default false   -- leave out whom somebody else holds
)
returns rules.client_state[]
language plpgsql
volatile
as $$
#variable_conflict use_variable
declare
  v_waits constant text := current_setting('lock_timeout');
  v_clients rules.client_state[];
begin
  if skip_locked then
    return array(
      select rules.state_of(c.*)
      from public.clients c
      where c.id = any (client_ids)
      order by c.id
      for no key update skip locked
    );
  end if;

  perform set_config('lock_timeout', extract(epoch from s.lock_wait)::text || 's', true) from public.stage_settings s;
  begin
    v_clients := array(
      select rules.state_of(c.*) from public.clients c where c.id = any (client_ids) order by c.id for no key update
    );
  exception when lock_not_available then
    -- the first of them that somebody holds and, for an admin, which session that is
    perform rules.refuse('client_locked', (
    select jsonb_build_object('client_id', c.id) || case
      when rules.missing_permission(rules.current_actor(), 'can_admin') is null and a.pid is not null
        then jsonb_build_object('held_by', jsonb_build_object(
          'process', a.pid, 'login', a.usename, 'program', nullif(a.application_name, '')
        ))
      else '{}'
    end
    from public.clients c
    -- an older transaction's number may stand there; that it is at work, its lock on itself says
    join pg_catalog.pg_locks l
      on l.locktype = 'transactionid' and l.mode = 'ExclusiveLock' and l.granted and l.transactionid = c.xmax
    left join pg_catalog.pg_stat_activity a on a.pid = l.pid
    where c.id = any (client_ids)
    order by c.id
    limit 1
    ));
  end;
  perform set_config('lock_timeout', v_waits, true);
  return v_clients;
end
$$;
