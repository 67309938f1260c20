-- The text that a search looks in: name and slug in small letters, without accents and apostrophes, other punctuation
-- as spaces. SQL with only PostgreSQL's own functions, because the index has the same expression, and every
-- writer of `clients` evaluates it.
create or replace function rules.search_text(
  name text,
  slug text
)
returns text
language sql
immutable
as $$
  select regexp_replace(
    regexp_replace(
      replace(replace(replace(
        translate(lower(normalize(name || ' ' || slug, nfkd)), 'łŁøØđĐħĦıŧŦðÐ', 'llooddhhittdd'),
        'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'
      ),
      E'[\\u0300-\\u036f\\u2018\\u2019\\u02bc\\u00b4''`]', '', 'g'
    ),
    '[-!-/:-@[-_{-~]+', ' ', 'g'
  )
$$;
