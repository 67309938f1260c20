-- The actor of this session. Through PostgREST it is the actor that the pre-request function found by the token; in a
-- SQL session it follows from the login. The setting is trusted only if session_user can't have forged it: PostgREST's
-- clients can't set any setting, and an operator may act as any actor anyway.
create or replace function rules.current_actor()
returns text
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_actor text;
begin
  if session_user = 'atlas_authenticator' then
    v_actor := nullif(current_setting('atlas.token_actor', true), '');
    if v_actor is null then
      perform rules.refuse('unauthenticated');
    end if;
    return v_actor;
  end if;

  v_actor := nullif(current_setting('atlas.act_as', true), '');
  if v_actor is not null and rules.is_operator(session_user) then
    return v_actor;
  end if;

  return coalesce(
    (select l.actor_id from public.actor_logins l where l.db_role = session_user),
    'system:db:' || session_user
  );
end
$$;
