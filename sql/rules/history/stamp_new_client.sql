-- BEFORE ROW INSERT on clients: a client begins at version 0 now; each flag it begins with is a change more.
create or replace function rules.stamp_new_client()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  new.stage_entered_at := now();
  new.returning_to_stage := case when rules.is_pause(new.stage) then 'onboarding' end;
  new.flags := rules.sorted_set(array_remove(new.flags, 'stuck'));
  new.version := cardinality(new.flags);
  return new;
end
$$;
