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
    perform rules.refuse('client_locked', rules.lock_holder(client_ids));
  end;
  perform set_config('lock_timeout', v_waits, true);
  return v_clients;
end
$$;
