-- A caller's text as it is stored: null if blank; refused if too long or with control characters.
-- A reason may have line breaks and tabs; nothing is cut or changed.
create or replace function rules.checked_text(
  field     text,
  value     text,
  max_chars integer,
  lines     boolean default false,
  required  boolean default false
)
returns text
language plpgsql
immutable
as $$
#variable_conflict use_variable
begin
  -- length first: no pattern is matched against megabytes
  if length(value) > max_chars then
    perform rules.refuse('text_too_long', jsonb_build_object(
      'field', field, 'length', length(value), 'max_length', max_chars
    ));
  end if;
  -- blank, including Unicode spaces, which the C locale doesn't treat as spaces
  if value is null or value !~ E'[^[:space:]\\u00a0\\u1680\\u2000-\\u200d\\u2028\\u2029\\u202f\\u205f\\u2060\\u3000\\ufeff]' then
    if required then
      perform rules.refuse('text_required', jsonb_build_object('field', field));
    end if;
    return null;
  end if;
  if value ~ E'[\\x01-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f]' or (not lines and value ~ E'[\\t\\n\\r]') then
    perform rules.refuse('text_not_clean', jsonb_build_object('field', field));
  end if;
  return value;
end
$$;
