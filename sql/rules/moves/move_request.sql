-- What the key of a move stands for: the same move asked for alone or as an item of a batch is one request.
create or replace function rules.move_request(
  context          rules.change_context,
  client_id        bigint,
  to_stage         text,
  expected_version bigint
)
returns jsonb
language plpgsql
immutable
as $$
#variable_conflict use_variable
begin
  return jsonb_build_object(
    'call', 'set_stage', 'client_id', client_id, 'to_stage', to_stage, 'expected_version', expected_version
  ) || rules.context_request(context);
end
$$;
