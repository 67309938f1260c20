-- The hash of the words that callers wrote into a history row, their key included. The row's hash contains this hash in
-- their place, so an erasure can remove the words and the row still verifies. The salt keeps erased
-- words from being guessed; it is erased with them.
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
  select sha256(convert_to(row(salt, reason, on_behalf_of, triggered_by, payload, external_id)::text, 'UTF8'))
$$;
