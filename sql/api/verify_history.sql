create or replace function api.verify_history(
  client_id bigint default null,
  after     bigint default null,
  page_size integer default 100
)
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_actor  constant text := rules.current_actor();
  v_from   bigint := client_id;
  v_to     bigint := client_id;
  v_ids    bigint[];
  v_answer jsonb;
begin
  -- GUARD
  perform rules.require_page_size(page_size);
  if client_id is not null then
    perform rules.require_client(client_id);
  else
    perform rules.require_permission(v_actor, 'can_admin');
    -- what stands between two clients, or after the last, is looked at too
    v_ids := array(
      select c.id from public.clients c where after is null or c.id > after order by c.id limit page_size
    );
    v_from := coalesce(after + 1, -9223372036854775808);
    v_to := case when cardinality(v_ids) = page_size then v_ids[page_size] else 9223372036854775807 end;
  end if;

  -- ACT
  select jsonb_build_object('clients', count(*), 'rows', coalesce(sum(c.version + 1), 0))
  into v_answer
  from public.clients c
  where c.id between v_from and v_to;
  return v_answer || jsonb_build_object(
    'breaks', (
      select coalesce(jsonb_agg(to_jsonb(b.*)), '[]')
      from (select b.* from rules.history_breaks(v_from, v_to) b limit 1000) as b
    ),
    'erasures', (
      select coalesce(jsonb_agg(
        jsonb_build_object(
          'client_id', e.client_id, 'last_version', e.last_version, 'rows', e.rows, 'erased_at', e.erased_at,
          'erased_by', e.erased_by, 'reason', e.reason
        )
        order by e.id
      ), '[]')
      from public.erasures e
      where e.client_id between v_from and v_to
    ),
    'next_after', case when v_to < 9223372036854775807 and client_id is null then v_to end
  );
end
$$;

comment on function api.verify_history(bigint, bigint, integer) is
'Whether history is what was recorded: each row against its hash and the row before, each client against its history.
client_id: one client, for any actor. Without it all clients, in pages by id, for can_admin. after: next_after of the page before. page_size: 1 to 1,000.
Answers {clients, rows, breaks, erasures, next_after}: breaks is empty where all is as recorded, else the first 1,000 of client_id, version, history_id and
problem (row_altered, row_missing, hash_missing, client_set_back, client_missing, client_altered, erasure_not_recorded), with
differs, the columns in which a client_altered is not what its history makes of it; erasures: whose words were erased, by whom.
Errors: permission_missing (403), client_not_found (404), page_size_not_valid (422).';
