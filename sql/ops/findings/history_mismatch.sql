-- A client that differs from its history, or whose history has a gap.
create or replace function ops.history_mismatch()
returns setof ops.finding
language plpgsql
stable
as $$
begin
  return query
    select
      'history_mismatch', 'error',
      jsonb_build_object('client_id', c.id, 'version', c.version, 'history_version', h.last_version),
      format(
        'client %s (%s) is in %s, version %s, but its %s history rows end in %s, version %s',
        c.id, c.slug, c.stage, c.version, coalesce(h.rows, 0), h.last_stage, h.last_version
      ),
      'it was changed around the triggers: find out by whom, then repair it manually'
    from public.clients c
    left join (
      select
        h.client_id,
        max(h.version) as last_version,
        count(*) as rows,
        (array_agg(h.to_stage order by h.version desc) filter (where h.to_stage is not null))[1] as last_stage
      from public.stage_history h
      group by 1
    ) as h on h.client_id = c.id
    where c.version is distinct from h.last_version
      or h.rows <> h.last_version + 1
      or c.stage <> h.last_stage
    order by c.id
    limit 20;
end
$$;
