-- The slug of a new client, in its normal form: a text, and nothing that PostgreSQL would read as a number. Some
-- programs cast a text before they look it up, and the notation of numbers differs by version: 16 reads 24_7 and
-- 0x18, 15 doesn't. Each of these would then be the id of another client. The host's own inserts aren't checked: such
-- a client can be addressed by its id.
create or replace function rules.checked_slug(slug text)
returns text
language plpgsql
immutable
as $$
#variable_conflict use_variable
declare
  v_slug constant text := rules.normal_form(rules.checked_text('slug', slug, 200, required => true));
begin
  if v_slug ~* (
    '^[[:space:]]*[-+]?('
    '0x((_?[0-9a-f])+[.]?[0-9a-f]*|[.][0-9a-f]+)(p[-+]?[0-9]+)?|0o(_?[0-7])+|0b(_?[01])+|'
    '([0-9](_?[0-9])*[.]?([0-9](_?[0-9])*)?|[.][0-9](_?[0-9])*)(e[-+]?[0-9](_?[0-9])*)?'
    ')[[:space:]]*$'
  ) then
    perform rules.refuse('slug_not_valid', jsonb_build_object('slug', v_slug));
  end if;
  return v_slug;
end
$$;
