-- LOCK clients against other changes until the transaction ends, in the order of their ids. Returns their states;
-- unknown ids are left out. Waits up to `lock_wait` for a client that another session holds, then refuses the call with
-- client_locked.
create or replace function rules.lock_clients(
  client_ids  bigint[],
  skip_locked boolean default false   -- leave out the clients that another session holds
)
returns rules.client_state[]
language plpgsql
volatile
as $$
#variable_conflict use_variable
declare
  v_waits   constant text := current_setting('lock_timeout');
  v_clients rules.client_state[];
begin
  -- Most clients are free, so a single one is tried first, without the set-up for waiting.
  if skip_locked or cardinality(client_ids) = 1 then
    v_clients := array(
      select rules.state_of(c.*)
      from public.clients c
      where c.id = any (client_ids)
      order by c.id
      for no key update skip locked
    );
    if skip_locked or cardinality(v_clients) = 1 then
      return v_clients;
    end if;
  end if;

  perform set_config('lock_timeout', extract(epoch from s.lock_wait)::text || 's', true) from public.stage_settings s;
  begin
    v_clients := array(
      select rules.state_of(c.*) from public.clients c where c.id = any (client_ids) order by c.id for no key update
    );
  exception when lock_not_available or deadlock_detected then   -- plain SQL can lock them in another order
    perform rules.refuse('client_locked', rules.lock_holder(client_ids));
  end;
  perform set_config('lock_timeout', v_waits, true);
  return v_clients;
end
$$;
