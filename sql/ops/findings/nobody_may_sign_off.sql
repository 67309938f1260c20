-- Active clients whose review no actor may sign off without an override: no live grant covers them, or none of their
-- eligible reviewers has one. Tried with the real rules, as if each client were in review; a client in review counts
-- as it is.
create or replace function ops.nobody_may_sign_off()
returns setof ops.finding
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_left  bigint[] := array(
    select c.id from public.clients c where c.active and (c.close_cadence <> 'none' or c.close_period is not null) order by c.id
  );
  v_actor text;
begin
  for v_actor in
    select g.actor_id
    from public.agent_permissions g
    where g.permission in ('can_sign_off_eom_review', 'can_admin')
      and g.revoked_at is null
    group by g.actor_id
    -- the actor that covers most goes first
    order by bool_or(g.scope is null) desc, g.actor_id
  loop
    exit when v_left = '{}';
    v_left := array(
      with reviewed as materialized (
        select c.id, f.*::rules.facts as facts
        from public.clients c
        cross join lateral rules.state_of(c.*) s
        cross join lateral rules.facts_of(
          row(
            s.id, s.version, 'eom_review', s.stage_entered_at, null, s.flags, s.fields, s.close_period
          )::rules.client_state,
          v_actor
        ) f
        where c.id = any (v_left)
      ),
      judged as materialized (
        select g.facts, rules.move_violations(v_actor, g.facts, 'weekly') is not null as is_refused
        from (select distinct r.facts from reviewed r) g
      )
      select r.id from reviewed r join judged j on j.facts = r.facts where j.is_refused order by r.id
    );
  end loop;

  return query
    select
      'nobody_may_sign_off', 'warning',
      jsonb_build_object('number', cardinality(v_left), 'clients', n.clients),
      format('no actor may sign off %s clients: %s', cardinality(v_left), n.slugs),
      'change their reviewers (atlas-stage client update --reviewers), or grant can_sign_off_eom_review to one of them'
    from (
      select
        jsonb_agg(jsonb_build_object('id', c.id, 'slug', c.slug, 'reviewers', c.eligible_reviewers) order by c.id) as clients,
        string_agg(c.slug, ', ' order by c.id) filter (where c.id = any (v_left[:20])) as slugs
      from public.clients c
      where c.id = any (v_left[:100])
    ) n
    where v_left <> '{}';
end
$$;
