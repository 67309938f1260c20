-- OPEN: the idempotency key of a write: the argument, or the Idempotency-Key header; null for none.
create or replace function rules.idempotency_key(external_id text)
returns text
language plpgsql
stable
as $$
#variable_conflict use_variable
begin
  if external_id is not null then
    return rules.checked_text('external_id', external_id, 200);
  end if;
  if current_setting('request.headers', true) <> '' then
    return rules.checked_text(
      'Idempotency-Key', current_setting('request.headers', true)::json ->> 'idempotency-key', 200
    );
  end if;
  return null;
end
$$;
