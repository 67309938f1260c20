create or replace function api.health()
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_findings jsonb;
begin
  -- without a token: only that the database answers, nothing about its contents
  if session_user = 'atlas_authenticator' and nullif(current_setting('atlas.token_actor', true), '') is null then
    return jsonb_build_object('status', 'ok');
  end if;

  select coalesce(
    jsonb_agg(f.facts || jsonb_build_object(
      'finding', f.finding, 'severity', f.severity, 'what', f.what, 'todo', f.todo
    )),
    '[]'
  )
  into v_findings
  from ops.findings() f;
  return jsonb_build_object(
    'status', case when v_findings = '[]' then 'ok' else 'attention' end,
    'findings', v_findings
  );
end
$$;

comment on function api.health() is
'Check that the database answers and, with a token, list what needs attention.
Needs no token, as the description of the API (GET /), and nothing else does. At the gateway: GET /healthz without one, GET /rpc/health with one.
Returns {status}, and with a token {status, findings}: status is ok or attention; each finding has its code (`finding`),
`severity` (error or warning), `what` is wrong, what is `todo`, and its facts.';
