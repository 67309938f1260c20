-- AFTER INSERT STATEMENT on stage_history: LISTEN atlas_changes wakes who waits for changes.
-- A NOTIFY lets one transaction of the database commit at a time, so of those at work together only one says it: with
-- eight writers a NOTIFY from each left a quarter of their rate, this one leaves nine tenths. What the others commit a
-- moment later wakes nobody, so who waits looks again after some seconds in any case.
create or replace function rules.wake_readers()
returns trigger
language plpgsql
volatile
as $$
begin
  if pg_try_advisory_xact_lock(hashtextextended('atlas_changes', 0)) then
    perform pg_notify('atlas_changes', '');
  end if;
  return null;
end
$$;
