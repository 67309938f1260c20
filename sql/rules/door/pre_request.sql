-- PostgREST calls this at the start of each request, as atlas_anon: resolve the token and continue
-- as atlas_api. SECURITY INVOKER, because only such a function may switch the role.
create or replace function rules.pre_request()
returns void
language plpgsql
volatile
as $$
#variable_conflict use_variable
begin
  -- PostgREST's own root, which the gateway doesn't pass on, stays atlas_anon
  if rules.token_actor() is not null or current_setting('request.path', true) <> '/' then
    perform set_config('role', 'atlas_api', true);
  end if;
end
$$;

comment on function rules.pre_request() is
'PostgREST''s db-pre-request: resolves X-Atlas-Token, which only the gateway can set, and switches to atlas_api.
Errors: unauthenticated (401).';
