-- checked_text, on one line, that must be there.
create or replace function rules.required_text(
  field     text,
  value     text,
  max_chars integer
)
returns text
language plpgsql
immutable
as $$
declare
  v_text text := rules.checked_text(field, value, max_chars);
begin
  if v_text is null then
    perform rules.refuse('text_required', jsonb_build_object('field', field));
  end if;
  return v_text;
end
$$;
