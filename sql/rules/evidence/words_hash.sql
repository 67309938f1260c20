-- The hash of a history row's words: everything in it that callers wrote, their key included. The row's own hash
-- contains this hash in place of the words, so they can be erased and the row still verifies. The salt is erased with
-- them, so nobody can guess the words from the hash.
create or replace function rules.words_hash(
  salt         uuid,
  reason       text,
  on_behalf_of text,
  triggered_by text,
  payload      jsonb,
  external_id  text
)
returns bytea
language sql
stable
parallel safe
as $$
  select sha256(convert_to(json_build_array(salt, reason, on_behalf_of, triggered_by, payload, external_id)::text, 'UTF8'))
$$;
