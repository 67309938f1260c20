-- Records of administration that differ from what was recorded, in a sample: a thousand records
-- starting at a random id, and the newest hundred. `atlas-stage verify` checks all of them.
create or replace function ops.administration_altered()
returns setof ops.finding
language plpgsql
volatile
as $$
#variable_conflict use_variable
declare
  v_newest constant bigint := coalesce((select max(a.id) from public.administration_history a), 0);
  v_start  constant bigint := (random() * least(v_newest, 4503599627370496))::bigint;
  v_sample constant bigint[] := array(
    select a.id
    from public.administration_history a
    where a.id >= v_start
    order by a.id
    limit 1000
  );
  v_recent constant bigint := (
    select min(r.id)
    from (select a.id from public.administration_history a order by a.id desc limit 100) as r
  );
begin
  return query
    select
      'administration_altered', 'error',
      jsonb_build_object('record_id', b.record_id, 'about', b.about, 'key', b.key, 'problem', b.problem),
      format(
        'the record of administration is not what was recorded: %s, record %s of %s %s',
        b.problem, b.record_id, b.about, b.key
      ),
      'verify all of it, with a digest from before: atlas-stage verify --expect'
    from (
      select s.* from rules.administration_breaks(
        v_start, coalesce(v_sample[cardinality(v_sample)], v_start)
      ) s
      union
      select e.* from rules.administration_breaks(v_recent, v_newest) e
    ) as b
    order by b.record_id
    limit 20;
end
$$;
