-- Whether a history row is of a kind that can be rolled back: a move, a flag or fields, but not a client's first row
-- and not a rollback. SQL, so that the planner inlines it.
create or replace function rules.is_reversible(row_ public.stage_history)
returns boolean
language sql
immutable
as $$
  select row_.trigger_type <> 'rollback'
    and row_.version > 0
    and (
      row_.to_stage is not null or row_.flag_added is not null or row_.flag_removed is not null
      or rules.changed_fields(row_) <> '{}'
    )
$$;
