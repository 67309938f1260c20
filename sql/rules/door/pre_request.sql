-- PostgREST calls this at the start of each request, as atlas_anon: resolve the token and continue
-- as atlas_api. SECURITY INVOKER, because only such a function may switch the role; SQL, so that the
-- planner inlines it.
create or replace function rules.pre_request()
returns text
language sql
volatile
as $$
  -- PostgREST's own root, which the gateway doesn't pass on, stays atlas_anon
  select set_config(
    'role',
    case
      when rules.token_actor() is not null or current_setting('request.path', true) <> '/' then 'atlas_api'
      else 'atlas_anon'
    end,
    true
  )
$$;

comment on function rules.pre_request() is
'PostgREST''s db-pre-request: resolves X-Atlas-Token, which only the gateway can set, and switches to atlas_api.
Returns the role. Errors: unauthenticated (401).';
