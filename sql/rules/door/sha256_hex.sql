-- Stable and not immutable, because convert_to is: so the planner inlines it.
create or replace function rules.sha256_hex(secret text)
returns text
language sql
stable
return encode(sha256(convert_to(secret, 'UTF8')), 'hex');
