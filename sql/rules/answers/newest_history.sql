-- The history row that made a client what it is at a version.
create or replace function rules.newest_history(
  client_id bigint,
  version   bigint
)
returns json
language plpgsql
stable
as $$
declare
  v_row json;
begin
  select row_to_json(h)
  into v_row
  from public.stage_history h
  where h.client_id = newest_history.client_id
    and h.version = newest_history.version;
  return v_row;
end
$$;
