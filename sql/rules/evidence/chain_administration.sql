-- AFTER INSERT ROW on administration_history, at the commit: the record gets its place and its hash, whoever wrote it.
-- At the commit, because a transaction that held the end of the chain while it goes on to other locks would hold up all
-- other administration, and sooner or later stand in a deadlock.
create or replace function rules.chain_administration()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform rules.chain_record(new);
  return null;
end
$$;
