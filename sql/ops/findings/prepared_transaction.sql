-- Prepared transactions older than five minutes. Their locks survive a restart: a client that one has changed answers
-- client_locked until it ends.
create or replace function ops.prepared_transaction()
returns setof ops.finding
language plpgsql
stable
as $$
begin
  return query
    select
      'prepared_transaction', 'error',
      jsonb_build_object('gid', p.gid, 'login', p.owner, 'prepared_at', p.prepared),
      format(
        'transaction %s of login %s was prepared on %s and never ended: what it locked stays locked',
        p.gid, p.owner, to_char(rules.firm_time(p.prepared), 'YYYY-MM-DD HH24:MI')
      ),
      format('ask its program, or: rollback prepared %L', p.gid)
    from pg_catalog.pg_prepared_xacts p
    where p.database = current_database()
      and p.prepared < now() - interval '5 minutes'
    order by p.prepared;
end
$$;
