alter table public.stage_settings drop column lock_wait;

drop index public.stage_transitions_to_stage_idx;
alter table public.stage_transitions
  drop constraint stage_transitions_from_stage_fkey,
  drop constraint stage_transitions_to_stage_fkey;

revoke trigger on public.stages from atlas_owner;
alter table public.stages
  drop constraint stages_position_uniq,
  drop constraint stages_kind_check,
  drop column position,
  drop column kind,
  drop column description;
alter table public.stages rename constraint stages_max_days_check to stage_sla_max_days_check;
alter table public.stages rename constraint stages_pkey to stage_sla_pkey;
alter table public.stages rename to stage_sla;
comment on table public.stage_sla is 'How long a client may be in a stage.';

revoke update, delete on public.idempotency_keys from atlas_owner;
-- Two actors may have used one key; the older version knows one of them only.
delete from public.idempotency_keys as k
where k.response is null
  or exists (
    select
    from public.idempotency_keys as other
    where other.external_id = k.external_id
      and (other.created_at, other.actor_id) < (k.created_at, k.actor_id)
  );
alter table public.idempotency_keys
  drop constraint idempotency_keys_pkey,
  add constraint idempotency_keys_pkey primary key (external_id),
  alter column response set not null;
comment on column public.idempotency_keys.response is null;

drop index public.stage_history_external_id_uniq;
create unique index stage_history_external_id_uniq on public.stage_history (external_id)
  where external_id is not null;

drop table public.deleted_clients;

alter table public.clients drop constraint clients_version_recorded_fkey;
alter table public.stage_history
  drop constraint stage_history_client_id_fkey,
  add constraint stage_history_client_id_fkey foreign key (client_id) references public.clients (id);

revoke update (version) on public.clients from atlas_owner;
grant insert, update on public.clients to atlas_owner;
revoke all on public.clients, public.stage_history from atlas_writer;
do $$
begin
  execute format('revoke all on sequence %s from atlas_writer', pg_get_serial_sequence('public.clients', 'id'));
  execute format('grant usage on sequence %s to atlas_owner', pg_get_serial_sequence('public.clients', 'id'));
  delete from public.atlas_migrations where id = '014_one_path_for_every_change';
end
$$;
