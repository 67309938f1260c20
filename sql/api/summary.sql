create or replace function api.summary()
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_actor constant text := rules.current_actor();
  v_counts jsonb;
begin

  -- one pass over the active clients
  with counted as materialized (
    select c.stage, c.stage_owner, c.flags, a.attention, count(*) as clients
    from public.clients c
    join rules.stage_limits(now()) s on s.stage = c.stage
    cross join lateral (
      select rules.attention(
        c.flags, c.stage_entered_at < s.over_before, s.waiting_flags,
        case when c.close_period is not null then c.close_period <= (select rules.late_period(now())) end
      ) as attention
    ) as a
    where c.active
    group by 1, 2, 3, 4
  )
  select jsonb_build_object(
    'clients', (select coalesce(sum(n.clients), 0) from counted n),
    'stages', (
      select jsonb_agg(
        jsonb_build_object(
          'stage', s.stage, 'position', s.position, 'kind', s.kind, 'max_days', s.max_days,
          'waiting_flags', s.waiting_flags, 'description', s.description, 'clients', coalesce(n.clients, 0),
          'stuck', coalesce(n.stuck, 0), 'late', coalesce(n.late, 0), 'waiting_on_client', coalesce(n.waiting, 0)
        )
        order by s.position
      )
      from public.stages s
      left join (
        select
          n.stage, sum(n.clients) as clients, sum(n.clients) filter (where n.attention = 'stuck') as stuck,
          sum(n.clients) filter (where n.attention = 'late') as late,
          sum(n.clients) filter (where n.attention = 'waiting_on_client') as waiting
        from counted n
        group by n.stage
      ) as n on n.stage = s.stage
    ),
    'owners', (
      select coalesce(
        jsonb_agg(
          jsonb_build_object(
            'owner', n.stage_owner, 'clients', n.clients, 'stuck', coalesce(n.stuck, 0), 'late', coalesce(n.late, 0),
            'waiting_on_client', coalesce(n.waiting, 0)
          )
          order by n.stage_owner
        ),
        '[]'
      )
      from (
        select
          n.stage_owner, sum(n.clients) as clients, sum(n.clients) filter (where n.attention = 'stuck') as stuck,
          sum(n.clients) filter (where n.attention = 'late') as late,
          sum(n.clients) filter (where n.attention = 'waiting_on_client') as waiting
        from counted n
        group by n.stage_owner
      ) as n
    ),
    'flags', (
      select jsonb_agg(
        jsonb_build_object(
          'flag', f.flag, 'description', f.description, 'set_by', f.set_by,
          'clients', (select coalesce(sum(n.clients), 0) from counted n where f.flag = any (n.flags))
        )
        order by f.flag
      )
      from public.stage_flags f
    ),
    'attention', jsonb_build_object(
      'stuck', (select coalesce(sum(n.clients), 0) from counted n where n.attention = 'stuck'),
      'late', (select coalesce(sum(n.clients), 0) from counted n where n.attention = 'late'),
      'waiting_on_client', (select coalesce(sum(n.clients), 0) from counted n where n.attention = 'waiting_on_client')
    )
  )
  into v_counts;

  return v_counts || jsonb_build_object(
    'words', jsonb_build_object(
      'service_tier', rules.known_words('clients_service_tier_check'),
      'close_cadence', rules.known_words('clients_close_cadence_check'),
      'sales_tax_schedule', rules.known_words('clients_sales_tax_schedule_check')
    ),
    'time_zone', (select s.time_zone from public.stage_settings s),
    'as_of', now(),
    'month', rules.close_period(now()),
    'undo_minutes', (select s.undo_minutes from public.stage_settings s),
    'cursor', rules.feed_cursor(
      -- a change that is being written at this moment appears after the cursor
      (select max(e.epoch) from public.feed_epochs e),
      (pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1)::text::xid8,
      9223372036854775807
    )
  );
end
$$;

comment on function api.summary() is
'Count the active clients by stage, owner, flag and attention.
Any actor can read.
Returns {clients, stages, owners, flags, attention, words, time_zone, as_of, month, undo_minutes, cursor}: each stage in order with its settings and its
numbers of clients, stuck, late and waiting_on_client; the same numbers for each owner (null: no owner); each flag; the allowed words of the other
fields; the firm''s time zone; the month that is being closed; for how many minutes an actor can undo its own change (0: not at all); and the cursor from which api.changes lists later changes.';
