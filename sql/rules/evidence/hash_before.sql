-- The row_hash of a client's history row before this version; null if there is none. The row
-- comparison and the settings leave the planner one index, (client_id, version): a plan made while
-- the table is empty must also serve a bulk change later in the same session. Only callers that
-- need a look-up pay for the settings.
create or replace function rules.hash_before(
  client_id bigint,
  version   bigint
)
returns bytea
language plpgsql
volatile  -- a row that the same statement has just written counts
set enable_sort = off
set enable_incremental_sort = off
as $$
#variable_conflict use_variable
begin
  return (
    select case
      when (h.client_id, h.version) = (hash_before.client_id, hash_before.version - 1) then h.row_hash
    end
    from public.stage_history h
    where (h.client_id, h.version) <= (hash_before.client_id, hash_before.version - 1)
    order by h.client_id desc, h.version desc
    limit 1
  );
end
$$;
