-- The row_hash of a history row: SHA-256 of the columns of this system and of the hash before it.
-- Columns that are never null are bytes of a fixed length, all others the text of one row value. No
-- session setting and no version of PostgreSQL changes it: times are rendered as the bytes that the
-- server sends, and never as text.
-- Rows from before close_period have hashes without it, although the migration gave them one.
create or replace function rules.history_hash(
  row_       public.stage_history,
  previous   bytea,                  -- row_hash of the client's version before; empty for version 0
  has_period boolean default true    -- false: as the hash of such an older row
)
returns bytea
language sql
stable
parallel safe
as $$
  select sha256(
    previous
    || coalesce(
      row_.words_hash,
      rules.words_hash(
        row_.words_salt, row_.reason, row_.on_behalf_of, row_.triggered_by, row_.payload,
        row_.external_id
      )
    )
    || int8send(row_.id) || int8send(row_.client_id) || int8send(row_.version)
    || timestamptz_send(row_.occurred_at)
    || convert_to(
      row(
        row_.from_stage, row_.to_stage, row_.flag_added, row_.flag_removed, row_.actor_type,
        row_.actor_id, row_.channel, row_.trigger_type, row_.xid, row_.epoch,
        encode(timestamptz_send(row_.from_entered_at), 'hex'), row_.from_returning_to,
        encode(timestamptz_send(row_.recorded_at), 'hex'),
        rules.history_facts(row_.channel, row_.payload)
      )::text,
      'UTF8'
    )
    || case
      when has_period and (row_.close_period is not null or row_.batch is not null)
        then convert_to(row(row_.close_period, row_.batch)::text, 'UTF8')
      else ''
    end
  )
$$;
