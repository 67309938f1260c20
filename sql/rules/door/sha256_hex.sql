create or replace function rules.sha256_hex(secret text)
returns text
language sql
immutable
return encode(sha256(convert_to(secret, 'UTF8')), 'hex');
