-- The record goes on without them: where the tables go too, nothing says that they have to be there.
insert into public.administration_history (actor_id, channel, reason, about, key, before, changed)
select 'system:install', 'install', 'no longer on record', gone.about, gone.key, gone.before, '{}'
from (
  select 1 as part, 'erasures' as about, jsonb_build_object('id', e.id) as key, to_jsonb(e.*) as before
  from public.erasures as e
  union all
  select
    2, 'deleted_clients', jsonb_build_object('client_id', d.client_id),
    to_jsonb(d.*) - '{name,slug,reason,history}'::text[] || jsonb_build_object('row_hash', d.history -> 'row_hash')
  from public.deleted_clients as d
) as gone
order by gone.part, gone.key;
revoke trigger on public.deleted_clients from atlas_owner;

delete from public.atlas_migrations
where id = '026_removals_on_record';
