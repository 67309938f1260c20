-- Whether the fields of a client have a valid form; null if they have. The words that a field allows are those of the
-- CHECKs of `clients`.
create or replace function rules.form_violations(fields rules.client_fields)
returns rules.violation[]
language plpgsql
stable
as $$
#variable_conflict use_variable
begin
  if fields.stage_owner is not null then
    perform rules.require_actor_id(fields.stage_owner);
  end if;
  perform rules.checked_actor_list(fields.stage_collaborators);
  perform rules.checked_actor_list(fields.eligible_reviewers);
  perform rules.checked_text('notes', fields.stage_notes, 10000, lines => true);

  return (
    select array[('unknown_value', jsonb_build_object(
      'given', jsonb_object_agg(c.argument, left(f.value, 200)), 'known', jsonb_object_agg(c.argument, k.words)
    ))::rules.violation]
    from rules.field_catalog() c
    join jsonb_each_text(to_jsonb(fields)) f on f.key = c.field
    cross join lateral rules.known_words('clients_' || c.field || '_check') as k (words)
    where k.words <> '{}'
      and f.value <> all (k.words)
    having count(*) > 0
  );
end
$$;
