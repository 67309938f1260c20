create or replace function api.stage_history(
  client_id      bigint,
  page_size      integer default 20,
  before_version bigint default null
)
returns api."application/json"
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_actor   constant text := rules.current_actor();
  v_history json;
  v_first   bigint;
begin
  page_size := rules.checked_page_size(page_size);
  select json_agg(page.* order by page.version), min(page.version)
  into v_history, v_first
  from (
    select h.*
    from rules.shown_history h
    where h.client_id = stage_history.client_id
      and h.version < coalesce(before_version, 9223372036854775807)
    order by h.version desc
    limit page_size
  ) page;
  if v_history is null then
    perform rules.require_client(client_id);
  end if;

  return json_build_object(
    'history', coalesce(v_history, '[]'),
    'next_before_version', nullif(v_first, 0)
  );
end
$$;

comment on function api.stage_history(bigint, integer, bigint) is
'List a client''s history: the newest page first, and within a page the oldest row first.
Any actor can read. client_id: the client. page_size: 1 to 1,000. before_version: next_before_version of the page before.
Returns {history, next_before_version}; the latter is null if the page contains the first row.
Errors: client_not_found (404), page_size_not_valid (422).';
