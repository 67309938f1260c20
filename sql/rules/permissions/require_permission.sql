-- GUARD for what is not about one client: grants, tokens.
create or replace function rules.require_permission(
  actor_id   text,
  permission text
)
returns void
language plpgsql
stable
as $$
begin
  perform rules.refuse_if(rules.missing_permission(actor_id, permission));
end
$$;
