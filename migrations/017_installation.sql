-- depends: 016_feed_and_closes

-- What a deploy made, as the catalog had it then. What is not so any more, somebody changed: doctor names it, and the
-- next deploy mends it.
create table public.stage_installation (
  kind      text not null,
  name      text not null,
  aspect    text not null,
  value     text not null,
  relation  text,
  mend      text,
  constraint stage_installation_pkey primary key (kind, name, aspect)
);
comment on table public.stage_installation is
  'What the last deploy left in the catalog, a row an aspect: owners, rights, definitions, states of triggers.';
comment on column public.stage_installation.relation is 'The table that it belongs to, if it belongs to one.';
comment on column public.stage_installation.mend is
  'The statement that makes it so again; null: the stored logic''s files do, or nothing can.';

grant select on public.stage_installation to atlas_owner;

-- To see whether it has fallen behind.
do $$
begin
  execute format('grant select on sequence %s to atlas_owner', pg_get_serial_sequence('public.clients', 'id'));
end
$$;

insert into public.atlas_migrations (id, note)
values ('017_installation', 'client stage: what a deploy made, to be compared with what is there');
