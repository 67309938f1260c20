-- The rollback of a history row; no row if it was not rolled back. A table function, so that the planner inlines it.
create or replace function rules.rollback_of(history_id bigint)
returns setof public.stage_history
language sql
stable
as $$
  select b.*
  from public.stage_history b
  where b.trigger_type = 'rollback'
    and (b.payload ->> 'rolls_back')::bigint = rollback_of.history_id
$$;
