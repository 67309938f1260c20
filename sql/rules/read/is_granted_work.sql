-- Whether an actor's grants make a client its work: a review that it can sign off, or a scoped
-- grant that covers it.
create or replace function rules.is_granted_work(
  actor_id text,
  client   rules.facts,
  why      text          -- review or in_scope
)
returns boolean
language plpgsql
stable
as $$
#variable_conflict use_variable
begin
  if why = 'review' then
    return rules.move_violations(actor_id, client, 'weekly') is null;
  end if;
  return exists (
    select
    from rules.live_grants(actor_id) g
    where g.permission <> 'can_act_for'
      and g.scope ?| '{from,clients,service_tiers}'
      -- which move or flag the grant allows makes no difference
      and rules.scope_mismatches(g.id, g.scope - '{to,flags}'::text[], client, null, null) is null
  );
end
$$;
