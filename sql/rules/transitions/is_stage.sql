-- Whether there is such a stage: each has its row in stage_sla.
create or replace function rules.is_stage(stage text)
returns boolean
language plpgsql
stable
as $$
begin
  return exists (select from public.stage_sla s where s.stage = is_stage.stage);
end
$$;
