-- Refuse a text that isn't an actor id. The CHECKs of agent_permissions and actor_tokens require
-- the same form. The length comes first, so that no pattern is matched against megabytes.
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
