-- depends: 000_atlas_baseline

-- Roles belong to the whole server, so another database of it may have created them already.
do $$
declare
  v_role record;
begin
  for v_role in
    select *
    from (values
      ('atlas_owner',         'nologin noinherit'),  -- owns the stored logic; never a superuser
      ('atlas_writer',        'nologin noinherit'),  -- owns the functions that write clients, and nothing else
      ('atlas_authenticator', 'login noinherit'),    -- PostgREST's login; the installation sets its password
      ('atlas_anon',          'nologin'),            -- a request without a token
      ('atlas_api',           'nologin'),            -- a request with a token
      ('atlas_cron',          'login'),              -- the scheduled jobs
      ('atlas_operator',      'nologin')             -- people and programs that may act as other actors
    ) as wanted (name, options)
    where not exists (select from pg_catalog.pg_roles where rolname = wanted.name)
  loop
    execute format('create role %I %s', v_role.name, v_role.options);
  end loop;
end
$$;

grant atlas_anon, atlas_api to atlas_authenticator;

insert into public.atlas_migrations (id, note) values ('001_roles', 'client stage: roles');
