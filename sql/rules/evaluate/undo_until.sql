-- Until when an actor can undo its own change that was made at this time. Null: not at all.
create or replace function rules.undo_until(made_at timestamptz)
returns timestamptz
language plpgsql
stable
as $$
#variable_conflict use_variable
begin
  return (
    select made_at + s.undo_minutes * interval '1 minute' from public.stage_settings s where s.undo_minutes > 0
  );
end
$$;
