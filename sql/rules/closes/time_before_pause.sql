-- How long a paused client had been in its stage when it was paused: by the newest row in force that paused it. Null:
-- it began in a pause.
create or replace function rules.time_before_pause(
  client_id      bigint,
  before_version bigint default 9223372036854775807
)
returns interval
language plpgsql
stable
as $$
#variable_conflict use_variable
begin
  return (
    select greatest(m.occurred_at - m.from_entered_at, interval '0')
    from rules.moves() m
    join public.stages s on s.stage = m.to_stage
    where m.client_id = client_id
      and m.version < before_version
      and m.is_in_force
      and s.kind = 'pause'
      and m.from_returning_to is null
    order by m.version desc
    limit 1
  );
end
$$;
