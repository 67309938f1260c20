-- Grants of can_act_for are kept, and no longer mean anything.
alter table public.agent_permissions
  drop constraint agent_permissions_permission_check,
  add constraint agent_permissions_permission_check check (permission in (
    'can_read_clients', 'can_set_stage', 'can_set_flag', 'can_sign_off_eom_review', 'can_offboard', 'can_admin'
  )) not valid;

delete from public.atlas_migrations
where id = '018_acting_for';
