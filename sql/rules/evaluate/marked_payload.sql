-- The payload of a change, marked with `acts_for` if the caller acts for the person with its can_act_for.
create or replace function rules.marked_payload(context rules.change_context)
returns jsonb
language plpgsql
stable
as $$
#variable_conflict use_variable
begin
  if rules.judged_actor(context.actor_id, context.on_behalf_of) = context.actor_id then
    return context.payload - 'acts_for';
  end if;
  return coalesce(context.payload, '{}') || '{"acts_for": true}';
end
$$;
