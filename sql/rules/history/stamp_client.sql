-- BEFORE ROW on clients: what the database keeps by itself. Every recorded change takes the next version,
-- so a row whose version moved is a row that changed; the statement triggers rely on that.
create or replace function rules.stamp_client()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_moved   boolean := new.stage <> old.stage;
  v_changes bigint := case when v_moved then 1 else 0 end;
begin
  -- A rollback restores what was, with its time; otherwise these two follow from the move.
  if current_setting('atlas.restoring', true) = 'on' then
    null;
  elsif v_moved then
    new.stage_entered_at := now();
    new.returning_to_stage := case
      when not rules.is_pause(new.stage) then null
      when rules.is_pause(old.stage) then old.returning_to_stage
      else old.stage
    end;
    new.flags := array_remove(new.flags, 'stuck');
  else
    new.stage_entered_at := old.stage_entered_at;
    new.returning_to_stage := old.returning_to_stage;
  end if;

  if new.flags <> old.flags then
    new.flags := rules.sorted_set(new.flags);
    v_changes := v_changes + rules.count_flag_changes(old.flags, new.flags, v_moved);
  end if;
  if rules.fields_differ(old, new) then
    v_changes := v_changes + 1;
  end if;

  new.version := old.version + v_changes;
  return new;
end
$$;
