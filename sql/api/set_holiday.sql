create or replace function api.set_holiday(
  day  text,
  name text default null
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_day  date;
  v_name text;
begin
  -- GUARD
  perform rules.require_permission(rules.current_actor(), 'can_admin');
  v_name := rules.checked_text('name', name, 200);
  begin
    if day ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' then
      v_day := day::date;
    end if;
  exception
    when data_exception then null;
  end;
  if v_day is null or v_day not between '2000-01-01' and '2199-12-31' then
    perform rules.refuse('setting_not_valid', jsonb_build_object(
      'setting', 'day', 'value', left(day, 200), 'expected', 'a day such as 2026-11-27'
    ));
  end if;

  -- ACT
  if v_name is null then
    delete from public.business_holidays h where h.day = v_day;
    if not found then
      perform rules.refuse('setting_not_valid', jsonb_build_object('setting', 'holiday', 'value', v_day, 'expected', 'a day that is one'));
    end if;
  else
    insert into public.business_holidays (day, name) values (v_day, v_name)
    on conflict on constraint business_holidays_pkey do update set name = excluded.name;
  end if;
  return jsonb_build_object('holidays', api.settings(extract(year from v_day)::integer) -> 'holidays');
end
$$;

comment on function api.set_holiday(text, text) is
'Add a holiday or rename it; without a name, remove it.
day: YYYY-MM-DD, 2000 to 2199. name: at most 200 characters. Needs can_admin.
Returns {holidays} of that year.
Errors: permission_missing (403); setting_not_valid, text_too_long, text_not_clean (422), retry (503).';
