-- depends: 025_administration_chained

-- Erasures, and clients that were taken out, are on record like administration: who edits them is found. The record
-- begins with what is there, and has none of the words that may have to be erased.
insert into public.administration_history (actor_id, channel, reason, about, key, after, changed)
select 'system:install', 'install', 'the record begins', present.about, present.key, present.after, '{}'
from (
  select 1 as part, 'erasures' as about, jsonb_build_object('id', e.id) as key, to_jsonb(e.*) as after
  from public.erasures as e
  union all
  select
    2, 'deleted_clients', jsonb_build_object('client_id', d.client_id),
    to_jsonb(d.*) - '{name,slug,reason,history}'::text[] || jsonb_build_object('row_hash', d.history -> 'row_hash')
  from public.deleted_clients as d
) as present
order by present.part, present.key;

-- so that the triggers that record can be made
grant trigger on public.deleted_clients to atlas_owner;

insert into public.atlas_migrations (id, note)
values ('026_removals_on_record', 'client stage: erasures and deleted clients are on record');
