-- The facts that every history row of a change has.
create or replace function rules.history_payload(context rules.change_context)
returns jsonb
language sql
immutable
as $$
  select coalesce(context.payload, '{}') || case
    when context.rolls_back is not null then jsonb_build_object('rolls_back', context.rolls_back)
    else '{}'
  end
$$;
