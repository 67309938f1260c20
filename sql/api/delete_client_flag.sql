create or replace function api.delete_client_flag(bytea)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_said jsonb := rules.call_arguments('clear_flag', '{client_id,flag}', $1);
begin
  return api.clear_flag(
    client_id    => (v_said ->> 'client_id')::bigint,
    flag         => v_said ->> 'flag',
    reason       => v_said ->> 'reason',
    triggered_by => v_said ->> 'triggered_by',
    on_behalf_of => v_said ->> 'on_behalf_of',
    channel      => v_said ->> 'channel',
    external_id  => v_said ->> 'external_id',
    payload      => nullif(v_said -> 'payload', 'null')
  );
end
$$;

comment on function api.delete_client_flag(bytea) is
'DELETE /api/clients/:id/flags/:flag at the gateway: clear_flag, its client and flag named by the path.
The body is empty, or a JSON object of the other arguments of clear_flag. Called as /rpc/delete_client_flag it is refused: there is no path.
Answers and errors: those of clear_flag; body_not_valid, unknown_argument, argument_not_valid (400).';
