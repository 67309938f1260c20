-- Clients as every answer shows them: the host's id, name and slug, their stage and flags, each of
-- rules.client_fields, age_days and attention. SQL, so that the planner inlines it.
-- Columns that the host adds don't appear. `notes` and `gdrive_folder` appear if the table has
-- them: a name that the inner query doesn't find is looked up in `absent`.
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
      rules.attention(
        stored.flags, stored.stage_entered_at < s.over_before, s.waiting_flags,
        due.is_late
      ) as attention
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
        c.returning_to_stage,
        c.close_period,
        c.flags,
        ((rules.state_of(c.*)).fields).*,
        c.version
      from public.clients c
      where c.id = any (shown_clients.client_ids)
    ) as stored
    left join rules.stage_limits(now()) s on s.stage = stored.stage
    -- a function whose argument is a subquery is not inlined
    cross join lateral (
      select case
        when stored.close_period is not null
          then stored.close_period <= (select rules.late_period(now()))
      end as is_late
      offset 0
    ) as due
  ) as shown
$$;
