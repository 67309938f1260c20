-- depends: 017_people

-- A permission to act for other actors: rules.judged_actor.
alter table public.agent_permissions
  -- squawk-ignore ban-drop-constraint
  drop constraint agent_permissions_permission_check,
  add constraint agent_permissions_permission_check check (permission in (
    'can_read_clients',
    'can_set_stage',
    'can_set_flag',
    'can_sign_off_eom_review',
    'can_offboard',
    'can_act_for',
    'can_admin'
  )) not valid;
alter table public.agent_permissions validate constraint agent_permissions_permission_check;

insert into public.atlas_migrations (id, note)
values ('018_acting_for', 'client stage: actors can act for others');
