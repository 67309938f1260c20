-- A place in the feed as text. Callers store it and send it back; only this system reads what it
-- contains.
create or replace function rules.feed_cursor(
  epoch integer,
  xid   xid8,
  id    bigint
)
returns text
language sql
immutable
return epoch || '.' || xid || '.' || id;
