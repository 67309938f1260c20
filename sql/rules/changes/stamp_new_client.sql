-- BEFORE INSERT ROW on clients, for plain SQL: a client begins at version 0 now; each flag it begins with is a change
-- more.
create or replace function rules.stamp_new_client()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
begin
  -- a client with a past is one that comes out of a backup, and its history would come after it
  if new.version <> 0 then
    perform rules.refuse('version_not_given', jsonb_build_object('client_id', new.id, 'version', new.version));
  end if;
  new.stage_entered_at := now();
  new.returning_to_stage := rules.comes_back_to(new.stage);
  new.flags := rules.sorted_set(array_remove(new.flags, 'stuck'));
  new.stage_collaborators := rules.sorted_set(new.stage_collaborators);
  new.eligible_reviewers := rules.sorted_set(new.eligible_reviewers);
  new.version := cardinality(new.flags);
  return new;
end
$$;
