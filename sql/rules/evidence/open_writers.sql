-- The transactions that have written in this database and have not ended. Rows that they have
-- written are in no digest of this moment. Other databases' transactions can't write our rows.
create or replace function rules.open_writers()
returns table (
  transaction text,      -- its id, as a prepared transaction or an activity reports it
  pid         integer,   -- null: a prepared transaction
  login       text,
  program     text,
  database    text
)
language sql
stable
as $$
  select a.backend_xid::text, a.pid, a.usename::text, a.application_name, a.datname::text
  from pg_catalog.pg_stat_activity a
  where a.datname = current_database()
    and a.backend_xid is not null
    and a.pid <> pg_backend_pid()
  union all
  select p.transaction::text, null, p.owner::text, 'prepared transaction ' || p.gid, p.database::text
  from pg_catalog.pg_prepared_xacts p
  where p.database = current_database()
  order by 2
$$;
