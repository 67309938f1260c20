-- What a caller said of a change, as part of the request that its key stands for.
create or replace function rules.context_request(context rules.change_context)
returns jsonb
language sql
immutable
as $$
  select jsonb_build_object(
    'reason', context.reason, 'triggered_by', context.triggered_by, 'on_behalf_of', context.on_behalf_of,
    'channel', context.channel, 'payload', context.payload, 'override', context.override
  )
$$;
