-- depends: 000_atlas_baseline

-- Roles belong to the whole server, so they may be here already, made for another database of it.
do $$
declare
  v_role record;
begin
  for v_role in
    select *
    from (values
      ('atlas_owner',         'nologin noinherit'),  -- owns the stored logic; never a superuser
      ('atlas_authenticator', 'login noinherit'),    -- PostgREST connects as it; a password is set at installation
      ('atlas_anon',          'nologin'),            -- a request without a token
      ('atlas_api',           'nologin'),            -- a request with one
      ('atlas_cron',          'login'),              -- the scheduled jobs
      ('atlas_operator',      'nologin')             -- people and programs that may act as someone else
    ) as wanted (name, options)
    where not exists (select from pg_catalog.pg_roles where rolname = wanted.name)
  loop
    execute format('create role %I %s', v_role.name, v_role.options);
  end loop;

  -- A deployer that is no superuser must be able to hand its functions to their owner.
  if not (select rolsuper from pg_catalog.pg_roles where rolname = current_user) then
    execute format('grant atlas_owner to %I', current_user);
  end if;
end
$$;

grant atlas_anon, atlas_api to atlas_authenticator;

insert into public.atlas_migrations (id, note) values ('001_roles', 'client stage: roles');
