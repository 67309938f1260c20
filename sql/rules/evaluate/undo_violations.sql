-- EVALUATE an undo, besides what forbids any rollback: the actor made these changes itself or had them made, within the
-- minutes in the settings. Null if it did.
create or replace function rules.undo_violations(
  actor_id    text,
  history_ids bigint[]
)
returns rules.violation[]
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_changes record;
begin
  select
    bool_and(p.person = actor_id) as are_own,
    min(h.occurred_at) as since,
    min(h.client_id) as client_id,
    min(p.person) filter (where p.person <> actor_id) as other
  into v_changes
  from public.stage_history h
  cross join lateral rules.person_of(h.actor_id, h.on_behalf_of, h.payload) as p (person)
  where h.id = any (history_ids);
  if not v_changes.are_own then
    return array[('undo_not_yours', jsonb_build_object('made_by', v_changes.other))::rules.violation];
  end if;
  if (rules.undo_until(v_changes.since) >= now()) is not true then
    return array[('undo_too_late', (
      select jsonb_build_object('minutes', s.undo_minutes) from public.stage_settings s
    ))::rules.violation];
  end if;
  return null;
end
$$;
