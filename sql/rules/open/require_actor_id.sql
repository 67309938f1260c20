-- Refuse a text that isn't an actor id. The CHECKs of the tables require the same form. A new id must also be in its
-- normal form, so that nobody has two. The length comes first, so that no pattern is matched against megabytes.
create or replace function rules.require_actor_id(
  actor_id text,
  is_new   boolean default false
)
returns void
language plpgsql
immutable
as $$
#variable_conflict use_variable
begin
  if (length(actor_id) <= 200 and actor_id ~ '^(user|agent|system):[^[:space:][:cntrl:]]+$') is not true then
    perform rules.refuse('actor_id_not_valid', jsonb_build_object('actor_id', left(actor_id, 200)));
  end if;
  if is_new and actor_id <> rules.normal_form(actor_id) then
    perform rules.refuse('actor_id_not_normal', jsonb_build_object(
      'actor_id', actor_id, 'instead', rules.normal_form(actor_id)
    ));
  end if;
end
$$;
