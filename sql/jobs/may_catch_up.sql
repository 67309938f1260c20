-- Whether an occurrence may still be made up for.
create or replace function jobs.may_catch_up(
  due_at timestamptz,
  as_of  timestamptz
)
returns boolean
language plpgsql
stable
as $$
begin
  return rules.firm_time(as_of)::date - rules.firm_time(due_at)::date
    <= (select s.catch_up_days from public.stage_settings s);
end
$$;
