-- Refuse a batch that changed nothing or doesn't exist. Returns the ids of its history rows.
create or replace function rules.require_batch(batch uuid)
returns bigint[]
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_rows constant bigint[] := array(
    select h.id from public.stage_history h where h.batch = require_batch.batch and h.trigger_type <> 'rollback'
  );
begin
  if v_rows = '{}' then
    perform rules.refuse('batch_not_found', jsonb_build_object('batch', batch));
  end if;
  return v_rows;
end
$$;
