-- AFTER INSERT STATEMENT on clients: judge the new clients, then begin their histories with version 0.
create or replace function rules.record_new_clients()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_change   jsonb := current_setting('atlas.change')::jsonb;
  v_client   record;
begin
  -- GUARD
  for v_client in
    select n.id, rules.new_client_refusals(v_change ->> 'actor_id', n::public.clients) as refusals
    from new_clients n
    where v_change ->> 'channel' <> 'psql'
      or not rules.says_nothing_of_stages(n::public.clients)
  loop
    if v_client.refusals is not null then
      perform rules.refuse_all(v_client.refusals);
    end if;
  end loop;

  -- ACT
  insert into public.stage_history (
    client_id, version, to_stage,
    actor_type, actor_id, channel, on_behalf_of, triggered_by, trigger_type, reason, external_id, payload
  )
  select
    n.id,
    0,
    n.stage,
    stamp.actor_type,
    stamp.actor_id,
    stamp.channel,
    stamp.on_behalf_of,
    stamp.triggered_by,
    stamp.trigger_type,
    stamp.reason,
    stamp.external_id,
    stamp.payload || case
      when rules.says_nothing_of_stages(n::public.clients) then '{}'
      else jsonb_build_object('initial', jsonb_build_object(
        'stage_owner', n.stage_owner,
        'stage_collaborators', n.stage_collaborators,
        'stage_notes', n.stage_notes,
        'service_tier', n.service_tier,
        'close_cadence', n.close_cadence,
        'sales_tax_schedule', n.sales_tax_schedule,
        'eligible_reviewers', n.eligible_reviewers,
        'active', n.active
      ))
    end
  from new_clients n
  cross join lateral rules.history_stamp(v_change) stamp;

  insert into public.stage_history (
    client_id, version, flag_added,
    actor_type, actor_id, channel, on_behalf_of, triggered_by, trigger_type, reason, payload
  )
  select
    n.id,
    f.ordinal,
    f.added,
    stamp.actor_type,
    stamp.actor_id,
    stamp.channel,
    stamp.on_behalf_of,
    stamp.triggered_by,
    stamp.trigger_type,
    stamp.reason,
    stamp.payload
  from new_clients n
  cross join lateral rules.flag_changes('{}', n.flags, false) f
  cross join lateral rules.history_stamp(v_change) stamp;

  return null;
end
$$;
