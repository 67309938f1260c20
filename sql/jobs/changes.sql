-- What an occurrence of a job is to change, among these clients or among all: the one answer for the dry run,
-- the run, and the second look at clients that are locked.
create or replace function jobs.changes(
  job    text,
  due_at timestamptz,
  as_of  timestamptz,
  among  bigint[] default null
)
returns table (
  client_id bigint,
  action    text,   -- move, set, clear
  word      text,   -- the stage or the flag
  period    text    -- of what is done once a period
)
language plpgsql
stable
as $$
begin
  case job
    when 'stage_autoroll_eom_open' then
      return query select * from jobs.stage_autoroll_eom_open(due_at, as_of, among);
    when 'flag_autoclear_advisory_due' then
      return query select * from jobs.flag_autoclear_advisory_due(due_at, as_of, among);
    when 'stage_stuck_detector' then
      return query select * from jobs.stage_stuck_detector(as_of, among);
    when 'flag_sales_tax_due' then
      return query select * from jobs.flag_sales_tax_due(due_at, as_of, among);
    when 'flag_seasonal' then
      return query select * from jobs.flag_seasonal(due_at, among);
  end case;
end
$$;
