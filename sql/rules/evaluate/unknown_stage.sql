-- The violation of a stage that doesn't exist; null if it does.
create or replace function rules.unknown_stage(stage text)
returns rules.violation[]
language plpgsql
stable
as $$
#variable_conflict use_variable
begin
  if exists (select from public.stages s where s.stage = unknown_stage.stage) then
    return null;
  end if;
  return array[('unknown_stage', jsonb_build_object(
    'stage', left(stage, 200),
    'known', (select jsonb_agg(s.stage order by s.stage) from public.stages s)
  ))::rules.violation];
end
$$;
