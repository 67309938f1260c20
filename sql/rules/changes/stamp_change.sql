-- BEFORE UPDATE ROW on clients, for plain SQL: what the database keeps by itself, and the versions that the change
-- takes.
create or replace function rules.stamp_change()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_old   constant rules.client_state := rules.state_of(old);
  v_new   rules.client_state;
  v_moved constant boolean := new.stage <> old.stage;
begin
  if new.id <> old.id then
    perform rules.refuse('client_id_is_kept', jsonb_build_object('client_id', old.id));
  end if;
  if new.version <> old.version then
    perform rules.refuse_all(array[rules.version_conflict(v_old, new.version)]);
  end if;

  -- only a move changes these two, and only as the rules have it
  new.stage_entered_at := old.stage_entered_at;
  new.returning_to_stage := old.returning_to_stage;
  if v_moved then
    v_new := rules.moved(v_old, new.stage);
    new.stage_entered_at := v_new.stage_entered_at;
    new.returning_to_stage := v_new.returning_to_stage;
    new.flags := array_remove(new.flags, 'stuck');
    new.version := new.version + 1;
  end if;
  if new.flags <> old.flags then
    new.flags := rules.sorted_set(new.flags);
    new.version := new.version + (select count(*) from rules.flag_changes(old.flags, new.flags, v_moved));
  end if;
  if rules.fields_differ(v_old, rules.state_of(new)) then
    new.stage_collaborators := rules.sorted_set(new.stage_collaborators);
    new.eligible_reviewers := rules.sorted_set(new.eligible_reviewers);
    new.version := new.version + rules.fields_differ(v_old, rules.state_of(new))::integer;
  end if;
  return new;
end
$$;
