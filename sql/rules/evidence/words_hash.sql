-- The hash of what people wrote into a history row. It stands for the words in the row's own hash, so that they can be
-- erased and the row still shows that nothing else was changed; the salt goes with them.
create or replace function rules.words_hash(
  salt         uuid,
  reason       text,
  on_behalf_of text,
  triggered_by text,
  payload      jsonb
)
returns bytea
language sql
stable
parallel safe
as $$
  select sha256(convert_to(json_build_array(salt, reason, on_behalf_of, triggered_by, payload)::text, 'UTF8'))
$$;
