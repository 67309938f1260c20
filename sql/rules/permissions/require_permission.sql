-- GUARD for what is not about one client: grants, tokens.
create function rules.require_permission(
  actor_id   text,
  permission text
)
returns void
language plpgsql
stable
as $$
declare
  v_refusal jsonb := rules.missing_permission(actor_id, permission);
begin
  if v_refusal is not null then
    perform rules.refuse_all(jsonb_build_array(v_refusal));
  end if;
end
$$;
