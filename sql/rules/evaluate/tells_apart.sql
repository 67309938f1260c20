-- Whether it matters to an actor which client it is: where a grant names clients, or who moved a client into review
-- counts, no two clients are alike.
create or replace function rules.tells_apart(actor_id text)
returns boolean
language sql
stable
as $$
  select (select s.separate_reviewer from public.stage_settings s)
    or exists (select from rules.live_grants g where g.actor_id = tells_apart.actor_id and g.scope ? 'clients')
$$;
