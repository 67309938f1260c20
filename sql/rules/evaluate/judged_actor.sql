-- The actor whose grants decide: the person that a call is made for if the caller's can_act_for covers that person,
-- else the caller. Only the caller's own grants are looked up, so acting for somebody can't be passed on.
create or replace function rules.judged_actor(
  actor_id     text,
  on_behalf_of text
)
returns text
language plpgsql
stable
as $$
#variable_conflict use_variable
begin
  if on_behalf_of is null or on_behalf_of = actor_id then
    return actor_id;
  end if;
  return case when exists (
    select
    from rules.live_grants(actor_id) g
    where g.permission = 'can_act_for' and rules.includes_person(g.scope, on_behalf_of)
  ) then on_behalf_of else actor_id end;
end
$$;
