-- A row as the record of administration keeps it: a token is known by its id, and when it was last used is no
-- administration. Of a client that was taken out it has no words, so that these can be erased: its history is known by
-- its hash.
create or replace function rules.administration_row(row_ jsonb)
returns jsonb
language sql
immutable
as $$
  select case
    when row_ ? 'token_hash'
      then row_ - '{token_hash,last_used_at}'::text[] || jsonb_build_object('id', left(row_ ->> 'token_hash', 12))
    when row_ ?& '{deleted_by,history}'
      then row_ - '{name,slug,history}'::text[] || jsonb_build_object('row_hash', row_ -> 'history' -> 'row_hash')
    else row_
  end
$$;
