-- One refusal as JSON: its code, status and words from the catalog, and the facts that failed.
create or replace function rules.refusal(
  rule  text,
  facts jsonb default '{}'
)
returns jsonb
language plpgsql
immutable
as $$
begin
  return (
    select jsonb_build_object('rule', c.rule, 'status', c.status, 'message', c.message, 'hint', c.hint) || facts
    from rules.refusal_catalog() c
    where c.rule = refusal.rule
  );
end
$$;
