-- Clients as every answer shows them. SQL, so that it becomes part of the query that asks.
-- The columns are named one by one, so that whatever else the host gives its table changes nothing here. Of the host's
-- own we need id, name and slug. `notes` and `gdrive_folder` are shown where the table has them: a name that the inner
-- query does not find is looked up outside of it, in `absent`.
create or replace function rules.shown_clients(client_ids bigint[])
returns table (
  id      bigint,
  version bigint,
  client  json
)
language sql
stable
as $$
  select
    shown.id,
    shown.version,
    row_to_json(shown.*)
  from (
    select
      stored.*,
      date_part('day', now() - stored.stage_entered_at)::integer as age_days,
      rules.attention(stored.flags, stored.stage_entered_at, s.max_days, s.waiting_flags) as attention
    from (select null::text as notes, null::text as gdrive_folder) as absent
    cross join lateral (
      select
        c.id,
        c.name,
        c.slug,
        notes,
        gdrive_folder,
        c.stage,
        c.stage_entered_at,
        c.stage_owner,
        c.stage_collaborators,
        c.stage_notes,
        c.flags,
        c.close_cadence,
        c.sales_tax_schedule,
        c.service_tier,
        c.returning_to_stage,
        c.eligible_reviewers,
        c.active,
        c.version
      from public.clients c
      where c.id = any (shown_clients.client_ids)
    ) as stored
    left join public.stages s on s.stage = stored.stage
  ) as shown
$$;
