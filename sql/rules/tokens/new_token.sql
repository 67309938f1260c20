-- A new bearer token: atl_, 43 random characters (256 bits, base64url), and a checksum of six hex digits by
-- which a client can tell a mistyped token from a wrong one without asking.
create or replace function rules.new_token()
returns text
language plpgsql
volatile
as $$
#variable_conflict use_variable
declare
  -- Three random UUIDs hold 366 random bits; the hash makes them 256 evenly spread ones.
  v_random bytea := sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
  v_body   text := 'atl_' || rtrim(translate(encode(v_random, 'base64'), '+/', '-_'), '=');
begin
  return v_body || left(rules.sha256_hex(v_body), 6);
end
$$;
