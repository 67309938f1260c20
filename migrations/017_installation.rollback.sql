drop table public.stage_installation;

do $$
begin
  execute format('revoke select on sequence %s from atlas_owner', pg_get_serial_sequence('public.clients', 'id'));
end
$$;

delete from public.atlas_migrations
where id = '017_installation';
