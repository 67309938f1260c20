-- EVALUATE the end of a cover: those whom it concerns may end it, and admins. Null if the actor may.
create or replace function rules.cover_violation(
  actor_id text,
  parties  text[]   -- who made the cover, is covered, covers
)
returns rules.violation
language plpgsql
stable
as $$
#variable_conflict use_variable
begin
  return case when actor_id <> all (parties) then rules.missing_permission(actor_id, 'can_admin') end;
end
$$;
