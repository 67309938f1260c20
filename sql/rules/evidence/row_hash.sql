-- The hash of a history row: of all that this system keeps in it, and of the client's row before. The one rendering
-- there is; it is the same on every version of PostgreSQL and whatever a session has set: a JSON array of texts and
-- whole numbers, moments as the eight bytes that the server sends for them.
create or replace function rules.row_hash(
  row_       public.stage_history,
  words_hash bytea,   -- of the words that it has, or had
  previous   bytea    -- the row_hash of the client's version before; empty for version 0
)
returns bytea
language sql
stable
parallel safe
as $$
  select sha256(convert_to(
    json_build_array(
      encode(previous, 'hex'), row_.id, row_.client_id, row_.version, row_.from_stage, row_.to_stage, row_.flag_added,
      row_.flag_removed, encode(timestamptz_send(row_.occurred_at), 'hex'), row_.actor_type, row_.actor_id,
      row_.channel, row_.trigger_type, row_.xid::text, row_.epoch,
      encode(timestamptz_send(row_.from_entered_at), 'hex'), row_.from_returning_to,
      encode(timestamptz_send(row_.recorded_at), 'hex'), rules.history_facts(row_.channel, row_.payload),
      encode(words_hash, 'hex')
    )::text,
    'UTF8'
  ))
$$;
