-- The row_hash of the row before this version of a client. The order, which nobody may sort for, asks for the index of
-- the versions: a session that plans this while history has a page or two would go on reading all of it, or all of the
-- client's, for each new row.
create or replace function rules.hash_before(
  client_id bigint,
  version   bigint
)
returns bytea
language plpgsql
stable
set enable_sort = off
set enable_incremental_sort = off
as $$
#variable_conflict use_variable
begin
  return (
    select case when h.client_id = client_id and h.version = version - 1 then h.row_hash end
    from public.stage_history h
    where (h.client_id, h.version) <= (client_id, version - 1)
    order by h.client_id desc, h.version desc
    limit 1
  );
end
$$;
