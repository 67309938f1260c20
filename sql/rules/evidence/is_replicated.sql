-- Whether a logical replication worker is writing: the rows are copies, with the hashes of the publisher. No session
-- can pretend to be such a worker.
create or replace function rules.is_replicated()
returns boolean
language plpgsql
volatile
as $$
begin
  -- separate, because PL/pgSQL runs an expression with a subquery as a query: every history row comes here
  if current_setting('session_replication_role') <> 'replica' then
    return false;
  end if;
  return exists (
    select
    from pg_catalog.pg_stat_get_activity(pg_backend_pid()) a
    where a.backend_type like 'logical replication%'
  );
end
$$;
