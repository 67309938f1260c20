-- Revoke the memberships that the deployer granted itself, in this deploy or an earlier one.
-- The deployer keeps its right to grant them again.
do $$
declare
  v_role text;
begin
  for v_role in
    select m.roleid::regrole::text
    from pg_catalog.pg_auth_members as m
    where m.roleid::regrole::text in ('atlas_owner', 'atlas_writer')
      and m.member = quote_ident(current_user)::regrole
      and m.grantor = quote_ident(current_user)::regrole
  loop
    execute format('revoke %s from %I', v_role, current_user);
  end loop;
end
$$;
