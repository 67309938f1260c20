-- Whole days (24 hours each) since a client entered its stage.
create or replace function rules.age_days(stage_entered_at timestamptz)
returns integer
language sql
stable
as $$
  select date_part('day', now() - stage_entered_at)::integer
$$;
