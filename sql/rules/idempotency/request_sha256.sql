-- What tells one request from another: its call, arguments and actor, in jsonb's own order of keys.
create or replace function rules.request_sha256(request jsonb)
returns bytea
language sql
immutable
return sha256(convert_to(request::text, 'UTF8'));
