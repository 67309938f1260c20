-- The place in the feed that a cursor of rules.feed_cursor stands for; null without one. Another text is refused.
create or replace function rules.feed_place(
  cursor    text,
  out epoch integer,
  out xid   xid8,
  out id    bigint
)
language plpgsql
immutable
as $$
#variable_conflict use_variable
declare
  v_place constant text[] := regexp_match(left(cursor, 50), '^([0-9]{1,9})[.]([0-9]{1,18})[.]([0-9]{1,19})$');
begin
  if cursor <> '' and (v_place is null or v_place[3]::numeric > 9223372036854775807) then
    perform rules.refuse('cursor_not_valid');
  end if;
  epoch := v_place[1];
  xid := v_place[2]::xid8;
  id := v_place[3];
end
$$;
