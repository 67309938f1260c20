-- OPEN: one requested change of one client, as set_stage, set_flag, update_client and the items of a batch ask for it.
create or replace function rules.open_item(
  action           text,                  -- move, set, clear or update
  client_id        bigint,
  word             text,                  -- the stage or the flag
  context          rules.change_context,
  expected_version bigint default null,   -- required for a move
  fields           rules.client_fields default null,
  clear            text[] default null,
  place            bigint default 0
)
returns rules.item
language plpgsql
immutable
as $$
#variable_conflict use_variable
begin
  if action = 'move' then
    if expected_version is null then
      perform rules.refuse('expected_version_required');
    end if;
    if word = 'eom_close' and context.payload ? 'period'
      and (context.payload ->> 'period' ~ '^[0-9]{4}-(0[1-9]|1[0-2])$') is not true
    then
      perform rules.refuse('period_not_valid');
    end if;
  end if;
  return row(
    place, client_id, action, word, fields, clear, expected_version, context, null, null, false, false, null, null
  )::rules.item;
end
$$;
