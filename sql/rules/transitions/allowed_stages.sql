-- Where a client may go from here, by the transitions alone.
create or replace function rules.allowed_stages(
  from_stage         text,
  returning_to_stage text
)
returns jsonb
language plpgsql
stable
as $$
begin
  return (
    select coalesce(jsonb_agg(t.to_stage order by t.to_stage), '[]')
    from public.stage_transitions t
    where t.from_stage = allowed_stages.from_stage
      and rules.may_follow(t.from_stage, t.to_stage, allowed_stages.returning_to_stage)
  );
end
$$;
