-- Put a record at the end of the chain. The end is one row: who commits at the same time waits here until the other has
-- committed, and no longer.
create or replace function rules.chain_record(row_ public.administration_history)
returns void
language plpgsql
volatile
as $$
#variable_conflict use_variable
declare
  v_end public.administration_chain;
begin
  insert into public.administration_chain as c (length, row_hash)
  values (1, rules.administration_hash(row_, 1, ''))
  on conflict (only_row) do update
  set length = c.length + 1, row_hash = rules.administration_hash(row_, c.length + 1, c.row_hash)
  returning c.* into v_end;

  update public.administration_history a
  set place = v_end.length, row_hash = v_end.row_hash
  where a.id = row_.id;
end
$$;
