-- Where a client that begins in this stage comes back to: one that begins paused comes from onboarding, like every new
-- client; null for the other stages.
create or replace function rules.comes_back_to(stage text)
returns text
language sql
stable
as $$
  select 'onboarding'
  from public.stages s
  where s.stage = comes_back_to.stage
    and s.kind = 'pause'
$$;
