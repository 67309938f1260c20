-- BEFORE ROW on clients, for statements that no function of `api` or `jobs` made: only a rollback may restore
-- what the database keeps, and no session can pass itself off as one.
create or replace function rules.restore_nothing()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_set text;
begin
  v_set := set_config('atlas.restoring', 'off', true);
  return new;
end
$$;
