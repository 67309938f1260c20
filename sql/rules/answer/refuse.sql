-- Raise one violation.
create or replace function rules.refuse(
  rule  text,
  facts jsonb default '{}'
)
returns void
language plpgsql
volatile
as $$
#variable_conflict use_variable
begin
  perform rules.refuse_all(array[(rule, facts)::rules.violation]);
end
$$;
