create or replace function rules.is_rolled_back(history_id bigint)
returns boolean
language plpgsql
stable
as $$
#variable_conflict use_variable
begin
  return exists (
    select
    from public.stage_history h
    where h.trigger_type = 'rollback'
      and (h.payload ->> 'rolls_back')::bigint = history_id
  );
end
$$;
