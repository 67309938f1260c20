-- EVALUATE one requested change of a client with these facts: every rule that forbids it; null if none does. An actor
-- that acts for a person is judged by that person's grants, and its can_act_for must cover the change too. So it gains
-- no right that either of them lacks.
create or replace function rules.judge(
  actor_id     text,
  on_behalf_of text,
  client       rules.facts,
  action       text,                -- move, set, clear or update
  word         text,                -- the stage or the flag
  override     boolean default false,
  before       rules.client_fields default null,   -- this and the next: of an update
  after        rules.client_fields default null
)
returns rules.violation[]
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_judged     constant text := case
    when on_behalf_of is null then actor_id else rules.judged_actor(actor_id, on_behalf_of)
  end;
  v_missing    rules.violation;
  v_violations rules.violation[];
begin
  v_violations := case
    when action = 'move' then rules.move_violations(
      v_judged, client, word, override, case when v_judged = actor_id then on_behalf_of else actor_id end
    )
    when action = 'update' then rules.field_violations(v_judged, client, before, after)
    else rules.flag_violations(v_judged, client, word)
  end;
  v_missing := rules.acting_violation(
    actor_id, v_judged, client,
    to_stage => case when action = 'move' then word end,
    flag => case when action in ('set', 'clear') then word end
  );
  if v_missing is not null then
    v_violations := v_violations || v_missing;
  end if;
  return v_violations;
end
$$;
