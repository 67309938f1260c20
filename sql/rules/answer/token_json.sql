-- A token as lists show it: its id is the first 12 characters of the hash. Neither the token nor
-- the hash is shown.
create or replace function rules.token_json(token public.actor_tokens)
returns jsonb
language plpgsql
stable
as $$
#variable_conflict use_variable
begin
  return to_jsonb(token) - 'token_hash' || jsonb_build_object(
    'id', left(token.token_hash, 12),
    'state', case
      when token.revoked_at is not null then 'revoked'
      when token.expires_at <= now() then 'expired'
      else 'active'
    end
  );
end
$$;
