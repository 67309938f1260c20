-- What every history row takes from the context of its change.
create or replace function rules.history_stamp(change jsonb)
returns table (
  actor_type   text,
  actor_id     text,
  channel      text,
  on_behalf_of text,
  triggered_by text,
  trigger_type text,
  reason       text,
  payload      jsonb,
  external_id  text
)
language sql
immutable
as $$
  select
    rules.actor_type(change ->> 'actor_id'),
    change ->> 'actor_id',
    change ->> 'channel',
    change ->> 'on_behalf_of',
    change ->> 'triggered_by',
    rules.trigger_type(change),
    change ->> 'reason',
    case
      when change ? 'rolls_back' then jsonb_build_object('rolls_back', change -> 'rolls_back')
      else '{}'
    end || coalesce(nullif(change -> 'payload', 'null'), '{}'),
    change ->> 'external_id'
$$;
