-- Two requests with one key wait for each other here, so that the second finds the first's answer.
create or replace function rules.lock_key(external_id text)
returns void
language plpgsql
volatile
as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('atlas idempotency key ' || external_id, 0));
end
$$;
