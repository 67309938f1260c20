-- A place in the feed as callers see it. They keep it and give it back; what it says is ours alone.
create or replace function rules.feed_cursor(
  epoch integer,
  xid   xid8,
  id    bigint
)
returns text
language sql
immutable
return epoch || '.' || xid || '.' || id;
