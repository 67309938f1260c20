-- WRITE, first half: the history rows of changes, each with its client's next version. The one place that writes
-- history; answers how many rows it wrote.
create or replace function rules.record_changes(changes rules.change[])
returns bigint
language plpgsql
volatile
-- The plan made for one changed client meets a hundred thousand next time: no nested loop over them. The price that this
-- puts on what has to be a nested loop would set off the JIT compiler: seconds for one flag.
as $$
#variable_conflict use_variable
declare
  v_rows bigint;
begin
  insert into public.stage_history (
    client_id, version, from_stage, to_stage, from_entered_at, from_returning_to, flag_added, flag_removed,
    actor_type, actor_id, channel, on_behalf_of, triggered_by, trigger_type, reason, payload, external_id
  )
  select
    (ch.after).id, h.version, h.from_stage, h.to_stage, h.from_entered_at, h.from_returning_to, h.flag_added, h.flag_removed,
    rules.actor_type((ch.context).actor_id), (ch.context).actor_id, (ch.context).channel, (ch.context).on_behalf_of,
    (ch.context).triggered_by, rules.trigger_type(ch.context), (ch.context).reason, h.payload,
    -- of a new client with flags, the first row has the key
    case when (ch.before).id is not null or h.version = 0 then (ch.context).external_id end
  from unnest(changes) as ch (context, before, after)
  cross join lateral rules.history_rows(ch.context, ch.before, ch.after) h;
  get diagnostics v_rows = row_count;
  return v_rows;
end
$$;
