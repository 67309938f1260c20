-- One slice of a run's work and, with `commits`, its transaction. Answers who was held by another session, and what
-- went wrong.
create or replace procedure jobs.work_slice(
  run_id       bigint,
  action       text,
  word         text,
  period       text,
  client_ids   bigint[],
  last_try     boolean,
  commits      boolean,
  inout held   bigint[],
  inout failed text
)
language plpgsql
as $$
begin
  begin
    held := jobs.apply(run_id, action, word, period, client_ids, last_try);
  exception
    when others or query_canceled then
      failed := sqlerrm;
  end;
  if commits then
    commit;
  end if;
end
$$;
