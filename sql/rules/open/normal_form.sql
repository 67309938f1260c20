-- The one form of an actor id or a slug: composed (NFC), in small letters, without invisible characters. Two texts that
-- look the same have the same form. Letters are made small without their accents, because a database in the C locale
-- knows only those of ASCII.
create or replace function rules.normal_form(value text)
returns text
language sql
immutable
as $$
  select normalize(lower(normalize(regexp_replace(
    value, E'[\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180e\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u206f\\ufe00-\\ufe0f\\ufeff]', '', 'g'
  ), nfd)))
$$;
