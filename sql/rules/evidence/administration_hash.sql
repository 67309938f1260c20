-- The row_hash of a record of administration: SHA-256 of its columns and of the hash before it.
-- Rendered like a history row (rules.history_hash).
create or replace function rules.administration_hash(
  row_     public.administration_history,
  previous bytea    -- row_hash of the same key's record before; empty for version 0
)
returns bytea
language sql
stable
parallel safe
as $$
  select sha256(
    previous || int8send(row_.id) || int8send(row_.version) || timestamptz_send(row_.occurred_at)
    || timestamptz_send(row_.recorded_at)
    || convert_to(
      row(
        row_.xid, row_.epoch, row_.actor_id, row_.login, row_.program, row_.channel, row_.reason,
        row_.about, row_.key, row_.before, row_.after, row_.changed
      )::text,
      'UTF8'
    )
  )
$$;
