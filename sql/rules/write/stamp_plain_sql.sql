-- BEFORE ROW on clients, for plain SQL: set the columns that the database maintains, and take the versions of the
-- change.
create or replace function rules.stamp_plain_sql()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_old   rules.client_state;
  v_new   rules.client_state;
  v_moved boolean;
  v_refused rules.violation;
begin
  if tg_op = 'DELETE' then
    perform rules.refuse('client_is_kept', jsonb_build_object('client_id', old.id));
  end if;

  if tg_op = 'INSERT' then
    -- a client with a version comes from a backup, whose history is restored after it
    if new.version <> 0 then
      perform rules.refuse('version_not_given', jsonb_build_object('client_id', new.id, 'version', new.version));
    end if;
    -- JSON readers hold whole numbers exactly only up to 2^53
    if new.id > 9007199254740992 then
      perform rules.refuse('id_too_large', jsonb_build_object('id', new.id));
    end if;
    v_old := rules.state_of(new);
    v_old.stage := 'onboarding';
    v_old.returning_to_stage := null;
    v_old.close_period := null;
    v_new := rules.state_after(v_old, 'move', new.stage, close_period => new.close_period);
    new.stage_entered_at := v_new.stage_entered_at;
    new.returning_to_stage := v_new.returning_to_stage;
    new.close_period := v_new.close_period;
    new.flags := rules.sorted_set(v_new.flags);
    new.stage_collaborators := rules.sorted_set(new.stage_collaborators);
    new.eligible_reviewers := rules.sorted_set(new.eligible_reviewers);
    new.version := cardinality(new.flags);
    return new;
  end if;

  v_old := rules.state_of(old);
  v_moved := new.stage <> old.stage;
  if new.id <> old.id then
    perform rules.refuse('client_id_is_kept', jsonb_build_object('client_id', old.id));
  end if;
  if new.version <> old.version then
    perform rules.refuse_all(array[rules.version_conflict(v_old, new.version)]);
  end if;

  -- only a move changes these; one that opens a close can set its month
  new.stage_entered_at := old.stage_entered_at;
  new.returning_to_stage := old.returning_to_stage;
  if v_moved then
    v_refused := rules.request_violation(
      'move', new.stage, old.version, nullif(new.close_period, old.close_period), v_old
    );
    if v_refused is not null then
      perform rules.refuse_all(array[v_refused], jsonb_build_object('client_id', old.id));
    end if;
    v_new := rules.state_after(v_old, 'move', new.stage, close_period => new.close_period);
    new.stage_entered_at := v_new.stage_entered_at;
    new.returning_to_stage := v_new.returning_to_stage;
    new.close_period := v_new.close_period;
    new.flags := array_remove(new.flags, 'stuck');
    new.version := new.version + 1;
  else
    new.close_period := old.close_period;
  end if;
  if new.flags <> old.flags then
    new.flags := rules.sorted_set(new.flags);
    new.version := new.version + (select count(*) from rules.flag_changes(old.flags, new.flags, v_moved));
  end if;
  v_new := rules.state_of(new);
  if v_new.fields is distinct from v_old.fields then
    new.stage_collaborators := rules.sorted_set(new.stage_collaborators);
    new.eligible_reviewers := rules.sorted_set(new.eligible_reviewers);
    v_new := rules.state_of(new);
    new.version := new.version + (v_new.fields is distinct from v_old.fields)::integer;
  end if;
  return new;
end
$$;
