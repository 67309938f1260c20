drop index public.clients_slug_form_idx, public.clients_search_idx;
create index clients_search_idx on public.clients using gin (to_tsvector('simple', name || ' ' || slug));
drop table public.actor_invites;
revoke update on public.stage_settings, public.stages from atlas_owner;
revoke insert, update, delete on public.business_holidays from atlas_owner;

delete from public.atlas_migrations
where id = '017_people';
