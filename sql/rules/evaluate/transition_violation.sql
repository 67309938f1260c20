-- EVALUATE adding, changing or removing a transition: why the rules of the stages forbid it; null if none does.
create or replace function rules.transition_violation(
  from_stage text,
  to_stage   text,
  permission text   -- null: remove it
)
returns text
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_from     constant text := (select s.kind from public.stages s where s.stage = from_stage);
  v_to       constant text := (select s.kind from public.stages s where s.stage = to_stage);
  v_to_close constant boolean := rules.in_close(to_stage, null);
  v_changes  constant boolean := (permission is null) = exists (
    select from public.stage_transitions t where t.from_stage = from_stage and t.to_stage = to_stage
  );
begin
  return case
    when from_stage = to_stage then 'a stage can''t lead to itself'
    when v_from = 'exit' then 'nothing leads out of it; an admin can override'
    when v_from = 'pause' then 'a paused client goes back to where it was'
    when permission is not null and v_to = 'exit' and permission <> 'can_offboard'
      then 'this move needs the permission to offboard clients'
    when permission is not null and v_from = 'review' and v_to = 'work' and permission <> 'can_sign_off_eom_review'
      then 'this move needs the permission to sign off reviews'
    when not v_changes then null
    when v_to = 'review' and not rules.in_close(from_stage, null) then 'a close can''t begin with its review'
    when v_to = 'work' and not v_to_close and rules.in_close(from_stage, null) then 'a close ends only with its sign-off'
    when permission is not null then null
    when v_to in ('work', 'review') and not exists (
      select
      from public.stage_transitions t
      join public.stages s on s.stage = t.to_stage
      where t.from_stage = from_stage and t.to_stage <> to_stage and s.kind in ('work', 'review')
    ) then 'it is the only way forward from there'
    when v_to_close and not rules.in_close(from_stage, null) and not exists (
      select
      from public.stage_transitions t
      join public.stages s on s.stage = t.from_stage
      where t.to_stage = to_stage and t.from_stage <> from_stage and s.kind = 'work' and not rules.in_close(t.from_stage, null)
    ) then 'it is the only way into a close'
  end;
end
$$;
