create or replace function api.administration(
  about     text default null,
  actor_id  text default null,
  before_id bigint default null,
  page_size integer default 20
)
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_records jsonb;
begin
  -- GUARD
  perform rules.require_permission(rules.current_actor(), 'can_admin');
  page_size := rules.checked_page_size(page_size);
  if about is not null and about not in (select t.name from rules.administered_tables() t) then
    perform rules.refuse('unknown_table', jsonb_build_object(
      'about', left(about, 200), 'known', (select jsonb_agg(t.name) from rules.administered_tables() t)
    ));
  end if;

  -- ACT: one extra row tells whether another page follows
  select coalesce(jsonb_agg(to_jsonb(page.*) order by page.id desc), '[]')
  into v_records
  from (
    select
      a.id, a.occurred_at, a.actor_id, a.login, a.program, a.channel, a.reason, a.about, a.key, a.before, a.after,
      a.changed
    from public.administration_history a
    where (before_id is null or a.id < before_id)
      and (administration.about is null or a.about = administration.about)
      and (administration.actor_id is null or a.actor_id = administration.actor_id)
    order by a.id desc
    limit page_size + 1
  ) as page;

  return jsonb_build_object(
    'records', v_records - page_size,
    'next_before_id', case when jsonb_array_length(v_records) > page_size then v_records -> (page_size - 1) -> 'id' end
  );
end
$$;

comment on function api.administration(text, text, bigint, integer) is
'List changes of grants, tokens, settings and rules, erasures and deletions of clients, with their actors, newest first.
about: only this table, such as agent_permissions, actor_tokens, stage_settings, stages,
stage_transitions, covers, stage_flags, stage_seasons, business_holidays, actor_logins, erasures,
deleted_clients. actor_id: only changes by this actor. before_id: next_before_id of the page before.
page_size: 1 to 1,000. Needs can_admin. Plain SQL is recorded too. A token is identified by its id;
neither it nor its hash is recorded.
Returns {records, next_before_id}: id, occurred_at, actor_id, login, program, channel (api, psql,
install), reason, about, key, before, after, changed. next_before_id is null on the last page.
Errors: permission_missing (403); unknown_table, page_size_not_valid (422).';
