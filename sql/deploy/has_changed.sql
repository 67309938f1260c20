-- Whether anything differs from what the last deploy recorded, or it recorded nothing.
select
  not exists (select from public.stage_installation)
  or exists (select from ops.changes_since_deploy())
  or exists (select from ops.sequences_behind() as s
where s.newest >= s.next_value);
