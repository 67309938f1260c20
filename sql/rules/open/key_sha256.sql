-- The hash that is kept of an erased key. Its text may contain words, so it isn't kept.
create or replace function rules.key_sha256(
  actor_id    text,
  external_id text
)
returns bytea
language sql
stable
as $$
  select sha256(convert_to(json_build_array(actor_id, external_id)::text, 'UTF8'))
$$;
