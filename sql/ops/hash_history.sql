-- Add the missing hashes of history rows, for up to max_clients clients with ids after this
-- one. Returns the last of these ids, null at the end. `migrate` calls it after the stored logic is
-- in place, one transaction per call. A row without a hash before a row with one was tampered with,
-- and gets none.
create or replace function ops.hash_history(
  after       bigint,
  max_clients integer default 1000
)
returns bigint
language plpgsql
volatile
set jit = off
as $$
#variable_conflict use_variable
declare
  v_ids      bigint[] := array(
    select distinct h.client_id
    from public.stage_history h
    where h.row_hash is null
      and h.client_id > after
    order by h.client_id
    limit max_clients
  );
  v_row      public.stage_history;
  v_previous public.stage_history;
begin
  -- a writer of these clients waits, and then finds the hash before its own row
  perform rules.lock_clients(v_ids);

  for v_row in
    select h.*
    from public.stage_history h
    join (
      select n.client_id, max(n.version) filter (where n.row_hash is not null) as version
      from public.stage_history n
      where n.client_id = any (v_ids)
      group by n.client_id
    ) as newest on newest.client_id = h.client_id and h.version >= coalesce(newest.version, 0)
    order by h.client_id, h.version
  loop
    if v_row.row_hash is null then
      if v_row.words_hash is null then
        v_row.words_salt := gen_random_uuid();
      end if;
      v_row.row_hash := rules.history_hash(v_row, case
        when v_row.version = 0 then ''
        when (v_previous.client_id, v_previous.version + 1) = (v_row.client_id, v_row.version)
          then v_previous.row_hash
      end);
      update public.stage_history h
      set words_salt = v_row.words_salt, row_hash = v_row.row_hash
      where h.id = v_row.id;
    end if;
    v_previous := v_row;
  end loop;
  return v_ids[cardinality(v_ids)];
end
$$;
