-- The place in the feed behind which everything is that this snapshot does not see for certain: what began to be
-- written before it and may still be committed comes after it.
create or replace function rules.feed_now()
returns text
language plpgsql
stable
as $$
begin
  return rules.feed_cursor(
    (select max(e.epoch) from public.feed_epochs e),
    (pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1)::text::xid8,
    9223372036854775807
  );
end
$$;
