-- The history rows of one change: one for the move or the creation, one for each flag, one for the fields. They take
-- the client's next versions in this order.
create or replace function rules.history_rows(
  before rules.client_state,   -- null: a new client
  after  rules.client_state
)
returns table (
  nth          bigint,
  from_stage   text,
  to_stage     text,
  flag_added   text,
  flag_removed text,
  facts        jsonb                -- what this system adds to the payload
)
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_default rules.client_state;
begin
  nth := 0;
  facts := '{}';
  if before.stage is distinct from after.stage then
    nth := 1;
    from_stage := before.stage;
    to_stage := after.stage;
    if before.id is null then
      -- a new client that only has Atlas's own columns needs no record of its first fields
      v_default := rules.default_client();
      if (after.stage, after.flags, after.fields) is distinct from (v_default.stage, v_default.flags, v_default.fields) then
        facts := jsonb_build_object('initial', to_jsonb(after.fields));
      end if;
    else
      -- leaving a stage removes `stuck`, and a rollback can restore it: both are part of the move
      flag_added := case when 'stuck' = any (after.flags) and 'stuck' <> all (before.flags) then 'stuck' end;
      flag_removed := case when 'stuck' = any (before.flags) and 'stuck' <> all (after.flags) then 'stuck' end;
    end if;
    return next;
    from_stage := null;
    to_stage := null;
    facts := '{}';
  end if;

  if before.flags is distinct from after.flags then
    for flag_added, flag_removed in
      select f.added, f.removed
      from rules.flag_changes(coalesce(before.flags, '{}'), after.flags, before.stage is distinct from after.stage) f
      order by f.ordinal
    loop
      nth := nth + 1;
      return next;
    end loop;
    flag_added := null;
    flag_removed := null;
  end if;

  if before.id is not null and before.fields is distinct from after.fields then
    nth := nth + 1;
    facts := jsonb_build_object('changed', (
      select jsonb_object_agg(o.key, jsonb_build_object('from', o.value, 'to', to_jsonb(after.fields) -> o.key))
      from jsonb_each(to_jsonb(before.fields)) as o
      where o.value is distinct from to_jsonb(after.fields) -> o.key
    ));
    return next;
  end if;
end
$$;
