-- BEFORE UPDATE, DELETE and TRUNCATE on an append-only table: refuse, for every role.
create or replace function rules.refuse_record_change()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform rules.refuse('record_is_append_only', jsonb_build_object('table', tg_table_name));
  return null;
end
$$;
