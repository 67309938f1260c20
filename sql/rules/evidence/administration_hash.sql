-- The hash of a record of administration: of all that is in it, and of the record before. Rendered as a row of history
-- is (rules.row_hash): the same on every version of PostgreSQL and whatever a session has set.
create or replace function rules.administration_hash(
  row_     public.administration_history,
  place    bigint,
  previous bytea    -- the row_hash at the place before; empty for the first
)
returns bytea
language sql
stable
parallel safe
as $$
  select sha256(convert_to(
    json_build_array(
      encode(previous, 'hex'), place, row_.id, encode(timestamptz_send(row_.occurred_at), 'hex'),
      encode(timestamptz_send(row_.recorded_at), 'hex'), row_.xid::text, row_.actor_id, row_.login, row_.program,
      row_.channel, row_.reason, row_.about, row_.key, row_.before, row_.after, row_.changed
    )::text,
    'UTF8'
  ))
$$;
