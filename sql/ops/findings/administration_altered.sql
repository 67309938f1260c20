-- The record of administration where it is not what was recorded, in a sample: a thousand records from anywhere on, and
-- the end of the chain. All of it is looked at by `atlas-stage verify`.
create or replace function ops.administration_altered()
returns setof ops.finding
language plpgsql
volatile
as $$
#variable_conflict use_variable
declare
  v_length constant bigint := coalesce((select c.length from public.administration_chain c), 0);
  v_from   constant bigint := floor(random() * (v_length + 1));
begin
  return query
    select
      'administration_altered', 'error',
      jsonb_build_object('place', b.place, 'record_id', b.record_id, 'problem', b.problem),
      format(
        'the record of administration is not what was recorded: %s at place %s%s', b.problem,
        coalesce(b.place::text, 'none'), ', record ' || b.record_id
      ),
      'look at all of it: atlas-stage verify, with a checkpoint from before'
    from (
      select s.record_id, s.place, s.problem
      from rules.administration_breaks(v_from, v_from + 1000) s
      union
      select e.record_id, e.place, e.problem
      from rules.administration_breaks(greatest(v_length - 100, 0), null) e
    ) as b
    order by b.place, b.record_id
    limit 20;
end
$$;
