create or replace function api.settings(year integer default null)
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_actor constant text := rules.current_actor();
  v_year constant integer := coalesce(year, extract(year from rules.firm_time(now())));
begin
  if v_year not between 2000 and 2199 then
    perform rules.refuse('setting_not_valid', jsonb_build_object('setting', 'year', 'value', year, 'expected', '2000 to 2199'));
  end if;
  return jsonb_build_object(
    'settings', (select to_jsonb(s.*) - 'only_row' from public.stage_settings s),
    'stages', (
      select jsonb_agg(jsonb_build_object(
        'stage', s.stage, 'description', s.description, 'max_days', s.max_days, 'waiting_flags', s.waiting_flags,
        'has_fixed_moves', not exists (
          select from public.stages o where rules.transition_violation(s.stage, o.stage, 'can_set_stage') is null
        )
      ) order by s.position)
      from public.stages s
    ),
    'transitions', (
      select jsonb_agg(
        to_jsonb(t.*) || jsonb_build_object('needs', rules.in_words(to_jsonb(t.permission)))
        order by f.position, s.position
      )
      from public.stage_transitions t
      join public.stages f on f.stage = t.from_stage
      join public.stages s on s.stage = t.to_stage
    ),
    'permissions', (
      select jsonb_object_agg(w.word, rules.in_words(to_jsonb(w.word)))
      from unnest(rules.known_words('stage_transitions_permission_check')) as w (word)
    ),
    'year', v_year,
    'holidays', (
      select coalesce(jsonb_agg(jsonb_build_object('day', h.day, 'name', h.name) order by h.day), '[]')
      from public.business_holidays h
      where h.day between make_date(v_year, 1, 1) and make_date(v_year, 12, 31)
    ),
    'closes', (
      select jsonb_agg(jsonb_build_object('month', m.period, 'last_business_day', m.last_business_day) order by m.period)
      from rules.months(make_date(v_year, 1, 1), make_date(v_year, 12, 1)) m
    )
  );
end
$$;

comment on function api.settings(integer) is
'Show what the firm can set: settings, the days in each stage, the moves, and a year''s holidays and month ends.
Any actor can read. year: 2000 to 2199; this year if omitted.
Returns {settings, stages, transitions, permissions, year, holidays, closes}: stages has stage, description, max_days (null: no limit),
waiting_flags and has_fixed_moves (set_transition refuses every change); transitions has from_stage, to_stage, permission, needs (the permission in words) and note; permissions has the words of each
permission that a move can need; closes has month and last_business_day.
Errors: setting_not_valid (422).';
