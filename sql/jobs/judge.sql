-- Which of these clients the rules let a job change, by the evaluators of every change: null, or the rule that
-- forbids it, and the clients.
create or replace function jobs.judge(
  actor_id   text,
  action     text,
  word       text,
  client_ids bigint[]
)
returns table (
  refused_by text,
  clients    bigint[]
)
language plpgsql
stable
as $$
declare
  v_each boolean := rules.judges_each(jsonb_build_object('actor_id', actor_id));
begin
  return query
    with alike as materialized (
      select
        min(c.id) as id, array_agg(c.id) as ids,
        c.stage, c.returning_to_stage, c.active, c.service_tier, c.eligible_reviewers
      from public.clients c
      where c.id = any (client_ids)
      group by 3, 4, 5, 6, 7, case when v_each then c.id end
    )
    select
      case action
        when 'move' then rules.stage_refusals(
          judge.actor_id, a.id, a.stage, word, a.returning_to_stage, a.active, a.service_tier, a.eligible_reviewers,
          false
        )
        else rules.flag_refusals(judge.actor_id, a.id, a.stage, word, a.service_tier)
      end #>> '{0,rule}',
      a.ids
    from alike a;
end
$$;
