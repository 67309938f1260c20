-- A row as the record of administration keeps it: a token is known by its id, and when it was last used is no
-- administration.
create or replace function rules.administration_row(row_ jsonb)
returns jsonb
language sql
immutable
as $$
  select case
    when row_ ? 'token_hash'
      then row_ - '{token_hash,last_used_at}'::text[] || jsonb_build_object('id', left(row_ ->> 'token_hash', 12))
    else row_
  end
$$;
