-- A new secret: atl_, 43 random characters (256 bits, base64url), and a checksum by which a client can tell a mistyped
-- one. Three random UUIDs hold 366 random bits; the hash makes them 256 evenly spread ones.
create or replace function rules.new_secret()
returns text
language plpgsql
volatile
as $$
declare
  v_random constant bytea :=
    sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
  v_body   constant text := 'atl_' || rtrim(translate(encode(v_random, 'base64'), '+/', '-_'), '=');
begin
  return v_body || left(rules.sha256_hex(v_body), 6);
end
$$;
