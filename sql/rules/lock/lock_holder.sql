-- The first of these clients that another session holds and, for an admin, which session that is.
create or replace function rules.lock_holder(client_ids bigint[])
returns jsonb
language plpgsql
stable
as $$
#variable_conflict use_variable
begin
  return (
    select jsonb_build_object('client_id', c.id) || case
      when rules.missing_permission(rules.current_actor(), 'can_admin') is null and a.pid is not null
        then jsonb_build_object('held_by', jsonb_build_object(
          'process', a.pid, 'login', a.usename, 'program', nullif(a.application_name, '')
        ))
      else '{}'
    end
    from public.clients c
    -- xmax can be an old transaction's id: only the lock of a transaction on its own id shows that it is running
    join pg_catalog.pg_locks l
      on l.locktype = 'transactionid' and l.mode = 'ExclusiveLock' and l.granted and l.transactionid = c.xmax
    left join pg_catalog.pg_stat_activity a on a.pid = l.pid
    where c.id = any (client_ids)
    order by c.id
    limit 1
  );
end
$$;
