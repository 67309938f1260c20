-- EVALUATE one change: the rules for its action. Everything that an evaluator can look at is an argument here.
create or replace function rules.violations_of(
  actor_id   text,
  client     rules.facts,          -- before the change
  conflict   rules.violation,      -- null: the client has the expected version
  action     text,                 -- move, set, clear or update
  word       text,                 -- the stage or the flag
  override   boolean,
  old_fields rules.client_fields,  -- of an update
  new_fields rules.client_fields
)
returns rules.violation[]
language plpgsql
stable
as $$
#variable_conflict use_variable
begin
  return case
    when conflict is not null then array[conflict]
    when client.stage is null then array[('client_not_found', null)::rules.violation]
    when action = 'move' then rules.move_violations(actor_id, client, word, override)
    when action = 'update' then rules.field_violations(actor_id, client, old_fields, new_fields)
    else rules.flag_violations(actor_id, client, word)
  end;
end
$$;
