-- The refusal of a stage that there is not, or null.
create or replace function rules.unknown_stage(stage text)
returns jsonb
language plpgsql
stable
as $$
begin
  return case
    when not rules.is_stage(stage) then rules.refusal('unknown_stage', jsonb_build_object(
      'stage', left(stage, 200),
      'known', (select jsonb_agg(s.stage order by s.stage) from public.stage_sla s)
    ))
  end;
end
$$;
