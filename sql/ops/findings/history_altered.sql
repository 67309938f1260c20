-- History that differs from what was recorded, in a sample: a thousand clients starting at a random id,
-- and the clients of the newest hundred changes. `atlas-stage verify` checks all of it.
create or replace function ops.history_altered()
returns setof ops.finding
language plpgsql
volatile
as $$
#variable_conflict use_variable
declare
  v_start  constant bigint := (
    select (random() * least(max(c.id), 4503599627370496))::bigint from public.clients c
  );
  v_sample constant bigint[] := array(
    select c.id from public.clients c where c.id >= v_start order by c.id limit 1000
  );
begin
  return query
    select
      'history_altered', 'error',
      jsonb_build_object('client_id', b.client_id, 'version', b.version, 'problem', b.problem),
      format(
        'the history of client %s is not what was recorded: %s at version %s%s', b.client_id, b.problem, b.version,
        ', in ' || nullif(array_to_string(b.differs, ', '), '')
      ),
      case
        when b.problem = 'hash_missing'
          then 'an interrupted upgrade leaves rows without a hash, and atlas-stage migrate adds them;'
            || ' otherwise the hash was removed: verify with a digest first'
        else 'verify all of it, with a digest from before: atlas-stage verify --expect'
      end
    from (
      select s.client_id, s.version, s.problem, s.differs
      from rules.history_breaks(v_start, v_sample[cardinality(v_sample)]) s
      union
      select n.client_id, n.version, n.problem, n.differs
      from (
        select distinct h.client_id as id
        from (select r.client_id from public.stage_history r order by r.id desc limit 100) as h
      ) as recent
      cross join lateral rules.history_breaks(recent.id, recent.id) n
    ) as b
    order by b.client_id, b.version
    limit 20;
end
$$;
