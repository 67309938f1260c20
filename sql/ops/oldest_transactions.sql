-- The open transactions that write and that hold back the feed: those with the oldest id of the server, sessions and
-- prepared transactions. begun_at is null where the owner role may not see it.
create or replace function ops.oldest_transactions()
returns table (
  pid      integer,   -- null: a prepared transaction
  gid      text,
  database text,
  login    text,
  program  text,
  begun_at timestamptz,
  todo     text       -- the line that ends it
)
language plpgsql
stable
as $$
#variable_conflict use_variable
begin
  return query
    select
      a.pid, null::text, a.datname::text, a.usename::text, a.application_name, a.xact_start,
      format('select pg_terminate_backend(%s);', a.pid)
    from pg_catalog.pg_stat_activity a
    where a.backend_xid = pg_snapshot_xmin(pg_current_snapshot())::xid
      and a.pid <> pg_backend_pid()
    union all
    select
      null, p.gid, p.database::text, p.owner::text, null, p.prepared,
      format('rollback prepared %L; (in database %s)', p.gid, p.database)
    from pg_catalog.pg_prepared_xacts p
    where p.transaction = pg_snapshot_xmin(pg_current_snapshot())::xid
    order by 3, 1;
end
$$;
