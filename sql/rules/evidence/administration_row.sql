-- A row as the record of administration keeps it:
--   actor_tokens     the token's id in place of its hash; no last use, which is not administration
--   deleted_clients  hashes in place of the words and the history, so the words can be erased. The salt of the client's
--                    history row is in the hash of the words, so they can't be guessed from it.
create or replace function rules.administration_row(row_ jsonb)
returns jsonb
language sql
immutable
as $$
  select case
    when row_ ? 'token_hash'
      then row_ - '{token_hash,last_used_at}'::text[] || jsonb_build_object('id', left(row_ ->> 'token_hash', 12))
    when row_ ?& '{deleted_by,history}'
      then row_ - '{name,slug,reason,history}'::text[] || jsonb_build_object(
        'row_hash', row_ -> 'history' -> 'row_hash',
        'words_hash', coalesce(
          row_ ->> 'words_hash',
          encode(
            sha256(convert_to(
              jsonb_build_array(
                row_ -> 'history' -> 'words_salt', row_ -> 'name', row_ -> 'slug', row_ -> 'reason'
              )::text,
              'UTF8'
            )),
            'hex'
          )
        )
      )
    else row_
  end
$$;
