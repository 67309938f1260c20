-- Drops only what this migration created. An Atlas that was here before keeps its clients and its ledger.
drop table public.stage_deploys;

do $$
begin
  if exists (select from public.atlas_migrations where id = '000_atlas_baseline' and note = 'made clients') then
    drop table public.clients;
  end if;
  delete from public.atlas_migrations where id = '000_atlas_baseline';
  if not exists (select from public.atlas_migrations) then
    drop table public.atlas_migrations;
  end if;
end
$$;
