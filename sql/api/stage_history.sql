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
declare
  v_actor   text := rules.current_actor();
  v_client  public.clients := rules.require_client(client_id);
  v_history json;
begin
  -- GUARD
  perform rules.require_page_size(page_size);

  -- ACT
  select coalesce(json_agg(row_to_json(h) order by h.version), '[]')
  into v_history
  from (
    select *
    from public.stage_history h
    where h.client_id = stage_history.client_id
      and (before_version is null or h.version < before_version)
    order by h.version desc
    limit page_size
  ) h;

  return json_build_object(
    'history', v_history,
    'next_before_version', case when (v_history -> 0 ->> 'version')::bigint > 0 then v_history -> 0 -> 'version' end
  );
end
$$;

comment on function api.stage_history(bigint, integer, bigint) is
'A client''s history, the newest page first, oldest row first within the page.
client_id: the client. page_size: 1 to 1,000. before_version: next_before_version of the page before. Any actor may read.
Answers {history, next_before_version}; the latter is null when the history''s beginning was reached.
Errors: client_not_found (404), page_size_not_valid (422).';
