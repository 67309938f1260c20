-- The context of a plain SQL statement: whatever the session set, it is its own login's change, through psql.
create or replace function rules.plain_context()
returns rules.change_context
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_context rules.change_context;
begin
  v_context.actor_id := rules.current_actor();
  v_context.channel := 'psql';
  v_context.reason := nullif(current_setting('atlas.act_as_reason', true), '');
  v_context.override := false;
  return v_context;
end
$$;
