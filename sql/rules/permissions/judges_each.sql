-- Whether clients that are alike in stage, tier and reviewers must still be judged one by one: where a grant
-- of the actor names clients, or who moved a client into review counts. A change of one client is its own case.
create or replace function rules.judges_each(change jsonb)
returns boolean
language plpgsql
stable
as $$
begin
  if change ? 'one_client' then
    return true;
  end if;
  return (select s.separate_reviewer from public.stage_settings s)
    or exists (
      select
      from rules.live_grants(change ->> 'actor_id') g
      where g.scope ? 'clients'
    );
end
$$;
