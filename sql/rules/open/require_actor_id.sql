-- The form of an actor id, as the CHECKs of agent_permissions and actor_tokens have it.
create or replace function rules.require_actor_id(actor_id text)
returns void
language plpgsql
immutable
as $$
#variable_conflict use_variable
begin
  if (length(actor_id) <= 200 and actor_id ~ '^(user|agent|system):[^[:space:][:cntrl:]]+$') is not true then
    perform rules.refuse('actor_id_not_valid', jsonb_build_object('actor_id', left(actor_id, 200)));
  end if;
end
$$;
