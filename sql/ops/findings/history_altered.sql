-- History that is not what was recorded, in a sample: a thousand ids of clients from anywhere on, and the clients of
-- the newest changes. All of it is looked at by `atlas-stage verify`.
create or replace function ops.history_altered()
returns setof ops.finding
language plpgsql
volatile
as $$
#variable_conflict use_variable
declare
  v_from constant bigint := (select floor(random() * (max(c.id) + 1))::bigint from public.clients c);
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
          then 'an upgrade that was cut off leaves rows without a hash, and atlas-stage migrate gives them theirs;'
            || ' else somebody took the hash away: verify with a checkpoint first'
        else 'look at all of it: atlas-stage verify, with a checkpoint from before'
      end
    from (
      select s.client_id, s.version, s.problem, s.differs
      from rules.history_breaks(v_from, v_from + 999) s
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
