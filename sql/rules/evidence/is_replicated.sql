-- Whether a logical replication worker is writing: the rows are copies, with the hashes of the publisher. No session
-- can pretend to be such a worker.
create or replace function rules.is_replicated()
returns boolean
language plpgsql
volatile
as $$
begin
  return current_setting('session_replication_role') = 'replica' and exists (
    select
    from pg_catalog.pg_stat_get_activity(pg_backend_pid()) a
    where a.backend_type like 'logical replication%'
  );
end
$$;
