-- What asks for somebody's attention, each with its code and facts. Cheap enough to be asked every minute: of the
-- clients, only those of the newest thousand changes are compared with their history; `atlas-stage doctor` reads all.
create or replace function rules.health_findings()
returns jsonb
language plpgsql
stable
as $$
declare
  v_overdue    jsonb;
  v_mismatches jsonb;
  v_expiring   jsonb;
  v_holidays   date := (select max(h.day) from public.business_holidays h);
begin
  select jsonb_agg(to_jsonb(o) || '{"finding": "job_overdue"}')
  into v_overdue
  from jobs.overdue() o;

  select jsonb_agg(jsonb_build_object(
    'finding', 'history_mismatch', 'client_id', c.id, 'version', c.version, 'history_version', newest.version
  ))
  into v_mismatches
  from (
    select h.client_id, max(h.version) as version
    from (select h.client_id, h.version from public.stage_history h order by h.id desc limit 1000) as h
    group by 1
  ) as newest
  join public.clients c on c.id = newest.client_id
  where c.version <> newest.version;

  select jsonb_agg(jsonb_build_object(
    'finding', 'token_expires', 'token_id', left(t.token_hash, 12), 'actor_id', t.actor_id, 'expires_at', t.expires_at
  ))
  into v_expiring
  from public.actor_tokens t
  where t.revoked_at is null
    and t.expires_at between now() and now() + interval '14 days';

  return coalesce(v_overdue, '[]') || coalesce(v_mismatches, '[]') || coalesce(v_expiring, '[]') || case
    when v_holidays >= rules.firm_time(now())::date + 365 then '[]'
    else jsonb_build_array(jsonb_build_object('finding', 'holidays_run_out', 'last_day', v_holidays))
  end;
end
$$;
