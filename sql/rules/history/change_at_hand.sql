-- The context of the change at hand, for a recording trigger; null when it is of a kind that another one records.
-- SQL, so that it becomes part of the trigger: each of them asks at every change.
create or replace function rules.change_at_hand(kinds text[])
returns jsonb
language sql
stable
as $$
  select case
    when current_setting('atlas.change_kind') = any (kinds) then current_setting('atlas.change')::jsonb
  end
$$;
