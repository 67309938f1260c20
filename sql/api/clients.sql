create or replace function api.clients(
  stage        text default null,
  flag         text default null,
  owner        text default null,
  age_days_gt  integer default null,
  stuck        boolean default null,
  service_tier text default null,
  active       boolean default true,
  search       text default null,
  after        bigint default null,
  page_size    integer default 100
)
returns api."application/json"
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_actor text := rules.current_actor();
  v_ids   bigint[];
begin
  -- GUARD
  perform rules.require_page_size(page_size);
  if stage is not null then
    perform rules.refuse_all(rules.unknown_stage(stage));
  end if;
  if flag is not null then
    perform rules.refuse_all(rules.unknown_flag(flag));
  end if;
  if service_tier is not null and not rules.is_known('clients_service_tier_check', service_tier) then
    perform rules.refuse('unknown_value', jsonb_build_object('field', 'service_tier'));
  end if;

  -- ACT: only the conditions that were asked for, so that each call gets the plan of its own filters; the page
  -- is one more, to know whether another one follows
  execute format(
    'select array(select c.id from public.clients c where %s order by c.id limit $9 + 1)',
    concat_ws(
      ' and ',
      'true',
      case when stage is not null then 'c.stage = $1' end,
      case when flag is not null then 'c.flags <> ''{}'' and c.flags @> array[$2]' end,
      case when owner is not null then 'c.stage_owner = $3' end,
      case when age_days_gt is not null then 'c.stage_entered_at <= now() - make_interval(hours => 24 * (1 + least(greatest($4, -36500), 36500)))' end,
      case when stuck then 'c.flags <> ''{}'' and c.flags @> ''{stuck}''' end,
      case when not stuck then 'not c.flags @> ''{stuck}''' end,
      case when service_tier is not null then 'c.service_tier = $5' end,
      case when active is not null then 'c.active = $6' end,
      case when search is not null then 'to_tsvector(''simple'', c.name || '' '' || c.slug) @@ $7' end,
      case when after is not null then 'c.id > $8' end
    )
  )
  into v_ids
  using
    stage, flag, owner, age_days_gt, service_tier, active, rules.search_query(search), after, page_size;

  return json_build_object(
    'clients', (
      select coalesce(json_agg(shown.client order by shown.id), '[]')
      from rules.shown_clients(v_ids[:page_size]) shown
    ),
    'next_after', case when cardinality(v_ids) > page_size then v_ids[page_size] end
  );
end
$$;

comment on function api.clients(text, text, text, integer, boolean, text, boolean, text, bigint, integer) is
'The clients, filtered; filters add up.
stage, flag, owner, service_tier: equal to. age_days_gt: more whole days in the stage than this. stuck: carries the flag, or does not.
active: true (default), false, or null for both. search: the beginnings of words in name and slug.
after: the last id of the page before. page_size: 1 to 1,000. Any actor may read.
Answers {clients, next_after} in order of id; next_after is null on the last page.
Errors: page_size_not_valid (422).';
