-- A row as its record keeps it. A token is identified by the first 12 characters of its hash, and
-- its last use is not administration. A deleted client's record has its history row's hash and no
-- words, so that these can be erased.
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
