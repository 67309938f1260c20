-- The key that makes a write repeatable: the argument, or the Idempotency-Key header; null for none.
create or replace function rules.idempotency_key(external_id text)
returns text
language sql
stable
as $$
  select case
    when external_id is not null
      then rules.checked_text('external_id', external_id, 200)
    when current_setting('request.headers', true) <> ''
      then rules.checked_text('Idempotency-Key', current_setting('request.headers', true)::jsonb ->> 'idempotency-key', 200)
  end
$$;
