create or replace function api.digest(
  as_of     text default null,
  after     text default null,
  page_size integer default 1000
)
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
-- the planner estimates every range of the feed as a third of it
set enable_seqscan = off
set jit = off
as $$
#variable_conflict use_variable
declare
  v_lowest   constant bigint := -9223372036854775808;
  v_given    text := coalesce(after, as_of);
  v_parts    text[];  -- of v_given: moment (1 to 5), counts (6 to 8), hash, part and last id
  v_epoch    integer;
  v_snapshot pg_snapshot;
  v_counts   bigint[] := array[0, 0, 0];  -- clients, rows, records
  v_hash     bytea := bytea '';
  v_part     text := 'clients';
  v_last     bigint := v_lowest;
  v_ended    boolean;
  v_entry    record;
  v_line     text;
begin
  -- GUARD
  perform rules.require_permission(rules.current_actor(), 'can_admin');
  page_size := rules.checked_page_size(page_size);
  begin
    v_given := coalesce(v_given, rules.digest_moment());
    v_parts := regexp_match(
      left(v_given, 100000),  -- a snapshot lists every open transaction
      '^(atlas-digest/1/at=[0-9TZ:-]+/epoch=([0-9]{1,9})/snapshot=([0-9:,]+)'
      '/history=([0-9]{1,19})/administration=([0-9]{1,19}))'
      '(?:/clients=([0-9]{1,18})/rows=([0-9]{1,18})/records=([0-9]{1,18})/sha256=([0-9a-f]{64}|)'
      '(?:/next=(clients|records):(-?[0-9]{1,19}))?)?$'
    );
    v_epoch := v_parts[2]::integer;
    v_snapshot := v_parts[3]::pg_snapshot;
    perform v_parts[4]::bigint, v_parts[5]::bigint;
    if v_parts is null or after is not null and v_parts[10] is null then
      raise data_exception;
    end if;
    if after is not null then
      v_counts := v_parts[6:8];
      v_hash := decode(v_parts[9], 'hex');
      v_part := v_parts[10];
      v_last := v_parts[11]::bigint;
    end if;
  exception
    when data_exception then
      perform rules.refuse('digest_not_valid', jsonb_build_object('digest', left(v_given, 200)));
  end;

  -- ACT: the hash of each entry contains the hash of the previous entry, so the result doesn't depend on where pages
  -- end
  loop
    v_ended := true;
    for v_entry in
      select e.id, e.rows, e.entry
      from rules.digest_entries(
        v_part, v_last, page_size, v_epoch, v_snapshot,
        v_parts[case v_part when 'clients' then 4 else 5 end]::bigint
      ) e
    loop
      v_ended := false;
      v_last := v_entry.id;
      continue when v_entry.entry is null;
      v_hash := sha256(v_hash || v_entry.entry);
      if v_part = 'clients' then
        v_counts[1] := v_counts[1] + 1;
        v_counts[2] := v_counts[2] + v_entry.rows;
      else
        v_counts[3] := v_counts[3] + 1;
      end if;
    end loop;
    exit when not v_ended or v_part = 'records';
    v_part := 'records';
    v_last := v_lowest;
  end loop;

  v_line := format(
    '%s/clients=%s/rows=%s/records=%s/sha256=%s',
    v_parts[1], v_counts[1], v_counts[2], v_counts[3], encode(v_hash, 'hex')
  );
  return jsonb_build_object(
    'digest', case when v_ended then v_line end,
    'next_after', case when not v_ended then format('%s/next=%s:%s', v_line, v_part, v_last) end
  ) || case when as_of is null and after is null then jsonb_build_object(
    'open', (select coalesce(jsonb_agg(to_jsonb(w.*)), '[]') from rules.open_writers() w),
    'left_out', (
      select count(*)
      from public.stage_history h
      where (h.epoch, h.xid) >= (v_epoch, pg_snapshot_xmin(v_snapshot))
        and not pg_visible_in_snapshot(h.xid, v_snapshot)
    )
  ) else '{}' end;
end
$$;

comment on function api.digest(text, text, integer) is
'Compute one line that covers everything recorded up to a moment.
Stored elsewhere, it shows later whether any of that was rewritten. It covers the history of all
clients, deleted ones included, and the record of administration, erasures and deletions included.
as_of: an earlier digest, to digest its moment again: the result is the same line if nothing was
rewritten. The default is now. after: next_after of the previous page. page_size: 1 to 1,000 clients or
records. Needs can_admin.
Returns {digest, next_after}. digest is null until the last page, and is
atlas-digest/1/at=/epoch=/snapshot=/history=/administration=/clients=/rows=/records=/sha256=: the
moment (at in UTC), how many clients, history rows and records it covers, and the hash.
The first page of a new digest adds open and left_out. open: transactions of this database that have
written and are not committed (transaction, pid, login, program, database); their rows are not in
the digest. left_out: visible rows newer than the moment; 0, except on a standby.
Errors: permission_missing (403); digest_not_valid, page_size_not_valid (422);
feed_not_in_order (503).';
