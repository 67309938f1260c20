-- OPEN: the new values of a client's fields, checked by their form: lists without doubles, clean texts. Refuses a field
-- in `clear` that can't be emptied.
create or replace function rules.checked_fields(
  fields rules.client_fields,
  clear  text[]
)
returns rules.client_fields
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_clearable constant text[] := array(select c.argument from rules.field_catalog() c where c.is_clearable);
begin
  if not clear <@ v_clearable then
    perform rules.refuse('unknown_value', jsonb_build_object(
      'field', 'clear', 'known', v_clearable,
      'given', left(array_to_string(array(select unnest(clear) except select unnest(v_clearable)), ', '), 200)
    ));
  end if;
  if fields.stage_owner is not null then
    perform rules.require_actor_id(fields.stage_owner, is_new => true);
  end if;
  fields.stage_collaborators := rules.checked_actor_list(fields.stage_collaborators, are_new => true);
  fields.eligible_reviewers := rules.checked_actor_list(fields.eligible_reviewers, are_new => true);
  fields.stage_notes := rules.checked_text('notes', fields.stage_notes, 10000, lines => true);
  return fields;
end
$$;
