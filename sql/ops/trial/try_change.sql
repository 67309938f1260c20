-- Change the client of a trial by the five steps. Host errors are raised as they are, because their context identifies
-- the host's object. A job that an admin took the permission from is skipped.
create or replace function ops.try_change(
  action  text,                   -- move, set, clear or update
  word    text,
  context rules.change_context,
  fields  rules.client_fields default null
)
returns void
language plpgsql
volatile
as $$
#variable_conflict use_variable
declare
  v_items rules.item[];
begin
  -- OPEN
  v_items := array(
    select rules.open_item(action, c.id, word, context, c.version, fields => fields)
    from public.clients c
    where c.id = rules.trial_client()
  );

  -- LOCK
  v_items := rules.lock_items(v_items);

  -- EVALUATE
  v_items := rules.evaluate(v_items);
  if v_items[1].violations is not null then
    if context.channel = 'cron' then
      return;
    end if;
    perform rules.refuse_all(v_items[1].violations);
  end if;
  if (v_items[1].after).id is null then
    return;   -- nothing to change
  end if;

  -- WRITE
  perform rules.write_history(array[(context, v_items[1].before, v_items[1].after)::rules.change]);
  perform rules.write_clients(array[v_items[1].after]);
end
$$;
