create or replace function api.verify(
  client_id bigint default null,
  after     text default null,
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
  v_lowest constant bigint := -9223372036854775808;
  v_last   constant bigint := 9223372036854775807;
  -- what is verified: the clients with these ids, or the records of administration
  v_part   text := 'clients';
  v_from   bigint := coalesce(client_id, v_lowest);
  v_to     bigint := coalesce(client_id, v_last);
  v_cursor text[];
  v_breaks jsonb;
  v_counts jsonb;
  v_next   text;
begin
  -- GUARD
  perform rules.require_page_size(page_size);
  if client_id is not null then
    perform rules.require_client(client_id);
  else
    perform rules.require_permission(v_actor, 'can_admin');
    if after is not null then
      v_cursor := regexp_match(after, '^(clients|records):(-?[0-9]{1,19})$');
      if v_cursor is null or v_cursor[2]::numeric not between v_lowest and v_last - 1 then
        perform rules.refuse('cursor_not_valid', jsonb_build_object('after', left(after, 200)));
      end if;
      v_part := v_cursor[1];
      v_from := v_cursor[2]::bigint + 1;
    end if;
    -- a page ends with its last row; a page that isn't full also covers what comes after
    v_to := coalesce(case v_part
      when 'clients' then (
        select c.id
        from public.clients c
        where c.id >= v_from
        order by c.id
        limit 1 offset page_size - 1
      )
      else (
        select a.id
        from public.administration_history a
        where a.id >= v_from
        order by a.id
        limit 1 offset page_size - 1
      )
    end, v_last);
    v_next := case
      when v_to < v_last then v_part || ':' || v_to
      when v_part = 'clients' then 'records:' || v_lowest
    end;
  end if;

  -- ACT
  if v_part = 'clients' then
    v_breaks := (
      select jsonb_agg(to_jsonb(b.*))
      from (select b.* from rules.history_breaks(v_from, v_to) b limit 1000) as b
    );
    v_counts := (
      select jsonb_build_object(
        'clients', count(*), 'rows', coalesce(sum(c.version + 1), 0), 'records', 0
      )
      from public.clients c
      where c.id between v_from and v_to
    );
  else
    v_breaks := (
      select jsonb_agg(to_jsonb(b.*))
      from (
        select b.about, b.key, b.version, b.record_id, b.problem
        from rules.administration_breaks(v_from, v_to) b
        union all
        select m.about, m.key, null, null, m.problem
        from rules.administration_mismatches() m
        where v_next is null
        limit 1000
      ) as b
    );
    v_counts := (
      select jsonb_build_object('clients', 0, 'rows', 0, 'records', count(*))
      from public.administration_history a
      where a.id between v_from and v_to
    );
  end if;

  return v_counts || jsonb_build_object(
    'breaks', coalesce(v_breaks, '[]'),
    'erasures', (
      select coalesce(jsonb_agg(
        jsonb_build_object(
          'client_id', e.client_id, 'last_version', e.last_version, 'rows', e.rows,
          'erased_at', e.erased_at, 'erased_by', e.erased_by, 'reason', e.reason
        )
        order by e.id
      ), '[]')
      from public.erasures e
      where v_part = 'clients'
        and e.client_id between v_from and v_to
    ),
    'next_after', v_next
  );
end
$$;

comment on function api.verify(bigint, text, integer) is
'Whether history and the record of administration are what was recorded.
Each row is compared with its hash and with the row before it of the same client or key, each client
with its history, each administered row with its newest record.
client_id: only this client, for any actor. Without it everything, in pages, for can_admin: first the
clients by id, then the record of administration. after: next_after of the page before. page_size: 1
to 1,000 clients or records.
Returns {clients, rows, records, breaks, erasures, next_after}. breaks is empty where all is as
recorded, and has at most 1,000 entries per page. A break of a client has client_id, version,
history_id, differs (columns of the client) and problem: row_altered, row_missing, hash_missing,
client_set_back, client_missing, client_altered or erasure_not_recorded. A break of administration
has about (the table), key, version, record_id and problem: row_altered, row_missing, hash_missing,
row_gone, row_added or row_changed. erasures: whose words were erased, by whom. next_after is null on
the last page.
Errors: permission_missing (403), client_not_found (404), cursor_not_valid, page_size_not_valid (422).';
