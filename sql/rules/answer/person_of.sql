-- The actor that a history row is by: the person for whom it was made with can_act_for, else its own actor. SQL, so
-- that the planner inlines it.
create or replace function rules.person_of(
  actor_id     text,
  on_behalf_of text,
  payload      jsonb
)
returns text
language sql
immutable
as $$
  select case when payload -> 'acts_for' = 'true' then coalesce(on_behalf_of, actor_id) else actor_id end
$$;
