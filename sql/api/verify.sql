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
  v_actor constant text := rules.current_actor();
  v_lowest constant bigint := -9223372036854775808;
  v_last   constant bigint := 9223372036854775807;
  v_part   text := 'clients';
  v_from   bigint := coalesce(client_id, v_lowest);
  v_to     bigint := client_id;  -- null: to the end
  v_cursor text[];
  v_answer jsonb;
begin
  -- GUARD
  page_size := rules.checked_page_size(page_size);
  if client_id is not null then
    perform rules.require_client(client_id);
  else
    perform rules.require_permission(rules.current_actor(), 'can_admin');
    if after is not null then
      v_cursor := regexp_match(after, '^(clients|records):(-?[0-9]{1,19})$');
      if v_cursor is null or v_cursor[2]::numeric not between v_lowest and v_last - 1 then
        perform rules.refuse('cursor_not_valid', jsonb_build_object('after', left(after, 200)));
      end if;
      v_part := v_cursor[1];
      v_from := v_cursor[2]::bigint + 1;
    end if;
  end if;

  -- ACT: a full page ends with its last row; the last page runs to the end of the ids
  if v_part = 'clients' then
    if client_id is null then
      v_to := (
        select c.id
        from public.clients c
        where c.id >= v_from
        order by c.id
        limit 1 offset page_size - 1
      );
    end if;
    select jsonb_build_object(
      'clients', count(*),
      'rows', coalesce(sum(c.version + 1), 0),
      'records', 0,
      'breaks', (
        select coalesce(jsonb_agg(to_jsonb(b.*)), '[]')
        from (
          select f.* from rules.history_breaks(v_from, coalesce(v_to, v_last)) f limit 1000
        ) as b
      ),
      'erasures', (
        select coalesce(jsonb_agg(to_jsonb(e.*) - '{id,login}'::text[] order by e.id), '[]')
        from public.erasures e
        where e.client_id between v_from and coalesce(v_to, v_last)
      ),
      'next_after', case
        when client_id is null then coalesce('clients:' || v_to, 'records:' || v_lowest)
      end
    )
    into v_answer
    from public.clients c
    where c.id between v_from and coalesce(v_to, v_last);
  else
    v_to := (
      select a.id
      from public.administration_history a
      where a.id >= v_from
      order by a.id
      limit 1 offset page_size - 1
    );
    select jsonb_build_object(
      'clients', 0,
      'rows', 0,
      'records', count(*),
      'breaks', (
        select coalesce(jsonb_agg(to_jsonb(b.*)), '[]')
        from (select b.* from rules.administration_breaks(v_from, v_to) b limit 1000) as b
      ),
      'erasures', jsonb '[]',
      'next_after', 'records:' || v_to
    )
    into v_answer
    from public.administration_history a
    where a.id between v_from and coalesce(v_to, v_last);
  end if;
  return v_answer;
end
$$;

comment on function api.verify(bigint, text, integer) is
'Check that history and the record of administration are as they were recorded.
Each row is compared with its hash and with the row before it of the same client or key, each client
with its history, each administered row with its newest record.
client_id: only this client, for any actor. Without it: everything, in pages, which needs can_admin;
first the clients by id, then the record of administration. after: next_after of the previous page.
page_size: 1 to 1,000 clients or records.
Returns {clients, rows, records, breaks, erasures, next_after}. breaks is empty if everything is
as recorded, and has at most 1,000 entries per page. A break of a client has client_id, version,
history_id, differs (columns of the client) and problem: row_altered, row_missing, hash_missing,
client_set_back, client_missing, client_altered or erasure_not_recorded. A break of administration
has about (the table), key, version, record_id and problem: row_altered, row_missing, hash_missing,
row_gone, row_added or row_changed. erasures: the clients whose words were erased, and the actors. next_after is null
on the last page.
Errors: permission_missing (403), client_not_found (404),
cursor_not_valid, page_size_not_valid (422).';
