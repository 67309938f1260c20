-- What a trial uses, as facts of this database; null: the trial is off.
--   tried_at     when the newest trial ran
--   admin        an actor that the rules refuse nothing
--   operator     whether the session's login can act as it
--   stage, flag  a stage that a new client can go to, and a flag that anyone can set; null: the firm has none
--   client_id    of the client that the trial makes
--   name, slug   those of the newest client, made unique, so that they pass the host's own checks
--   logins       the session's, those that have an actor, and the owner of `clients`, each with its search path
create or replace function ops.trial_ways()
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_letters constant text := translate(left(md5(random()::text), 6), '0123456789', 'ghijkmnpqr');
begin
  return (
    select jsonb_build_object(
      'tried_at', (select t.tried_at from public.stage_trials t),
      'admin', (
        select min(p.actor_id)
        from public.agent_permissions p
        where p.permission = 'can_admin' and p.scope is null and p.revoked_at is null
      ),
      'operator', rules.is_operator(session_user),
      'stage', (
        select min(t.to_stage)
        from public.stage_transitions t
        where t.from_stage = (rules.default_client()).stage and t.permission = 'can_set_stage'
      ),
      'flag', (select min(f.flag) from public.stage_flags f where 'anyone' = any (f.set_by)),
      'client_id', rules.trial_client(),
      'name', coalesce(left(newest.name, 40), 'Trial') || ' ' || v_letters,
      'slug', coalesce(left(newest.slug, 12), 'trial') || v_letters,
      'logins', (
        select jsonb_agg(jsonb_build_object('login', r.rolname, 'path', rules.path_of(r.oid)) order by r.rolname)
        from pg_catalog.pg_roles r
        where r.rolname = session_user
          or r.rolcanlogin and not r.rolsuper and (
            exists (select from public.actor_logins l where l.db_role = r.rolname)
            or r.oid = (select c.relowner from pg_catalog.pg_class c where c.oid = 'public.clients'::regclass)
          )
      )
    )
    from public.stage_settings s
    left join lateral (
      select c.name::text, c.slug::text from public.clients c order by c.id desc limit 1
    ) newest on true
    where s.trial
  );
end
$$;
