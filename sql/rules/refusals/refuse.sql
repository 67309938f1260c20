-- Raise one refusal.
create or replace function rules.refuse(
  rule  text,
  facts jsonb default '{}'
)
returns void
language plpgsql
volatile
as $$
begin
  perform rules.refuse_if(rules.refusal(rule, facts));
end
$$;
