-- The newest trial failed: a way into `clients` doesn't work (ops.trial).
create or replace function ops.trial_failed()
returns setof ops.finding
language plpgsql
stable
as $$
begin
  return query
    select f.*
    from public.stage_trials t
    cross join lateral jsonb_populate_record(null::ops.finding, t.failure) f
    cross join public.stage_settings s
    where t.failure is not null
      and s.trial;
end
$$;
