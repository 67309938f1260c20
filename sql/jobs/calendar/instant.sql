create or replace function jobs.instant(wall timestamp)
returns timestamptz
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
begin
  return rules.firm_instant(wall);
end
$$;

comment on function jobs.instant(timestamp) is
'The moment of a local time in the firm''s time zone, for `as_of`.';
