-- Whether a can_act_for grant with this scope includes an actor: one that its `actors` list, or without that key each
-- person that is no admin. Jobs and other systems are never included.
create or replace function rules.includes_person(
  scope  jsonb,
  person text
)
returns boolean
language sql
stable
as $$
  select case
    when scope ? 'actors' then person ~ '^(user|agent):' and scope -> 'actors' ? person
    else person ~ '^user:[^[:space:][:cntrl:]]+$'
      and not exists (select from rules.live_grants(includes_person.person) g where g.permission = 'can_admin')
  end
$$;
