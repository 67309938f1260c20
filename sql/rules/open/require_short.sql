-- Refuse a text that is longer than its limit, before anything is done with it. Null passes.
create or replace function rules.require_short(
  field     text,
  value     text,
  max_chars integer default 200
)
returns void
language plpgsql
immutable
as $$
#variable_conflict use_variable
begin
  if length(value) > max_chars then
    perform rules.refuse('text_too_long', jsonb_build_object(
      'field', field, 'length', length(value), 'max_length', max_chars
    ));
  end if;
end
$$;
