-- What PostgREST calls at the beginning of each request, as atlas_anon: find out whose token it is, and go on as
-- atlas_api. SECURITY INVOKER, because only such a function may switch the role.
create or replace function rules.pre_request()
returns void
language plpgsql
volatile
as $$
#variable_conflict use_variable
declare
  v_actor text := rules.token_actor();
begin
  -- An endless statement would keep one of few connections; settings of the role switched to do not apply.
  perform set_config('statement_timeout', '30s', true);

  if v_actor is not null then
    perform set_config('atlas.token_actor', v_actor, true);
    perform set_config('role', 'atlas_api', true);
  end if;
end
$$;

comment on function rules.pre_request() is
'PostgREST''s db-pre-request: resolves X-Atlas-Token, which only the gateway can set, and switches to atlas_api.
Errors: unauthenticated (401).';
