-- WRITE a new token. Returns it as lists show it, with the only copy of the secret.
create or replace function rules.new_token(
  actor_id    text,
  description text,
  created_by  text,
  expires_at  timestamptz
)
returns jsonb
language plpgsql
volatile
as $$
#variable_conflict use_variable
declare
  v_secret constant text := rules.new_secret();
  v_token  public.actor_tokens;
begin
  insert into public.actor_tokens (token_hash, actor_id, description, created_by, expires_at)
  values (rules.sha256_hex(v_secret), actor_id, description, created_by, expires_at)
  returning * into v_token;
  return rules.token_json(v_token) || jsonb_build_object('token', v_secret);
end
$$;
