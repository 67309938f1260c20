-- BEFORE INSERT, UPDATE or DELETE ROW on the tables of settings: refuse invalid settings that no CHECK
-- can detect.
create or replace function rules.check_setting()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_old   constant jsonb := to_jsonb(old);
  v_new   constant jsonb := to_jsonb(new);
  v_wrong jsonb;
begin
  case tg_table_name
    when 'stage_settings' then
      if tg_op = 'DELETE' then
        v_wrong := '{"setting": "stage_settings", "expected": "its one row stays: update it"}';
      elsif not exists (select from pg_catalog.pg_timezone_names z where z.name = v_new ->> 'time_zone') then
        v_wrong := jsonb_build_object(
          'setting', 'time_zone', 'value', v_new -> 'time_zone',
          'expected', 'a name of pg_timezone_names, such as America/Chicago'
        );
      end if;
    when 'stages' then
      -- no client could enter a stage that the CHECK of `clients` doesn't list
      if v_new ->> 'stage' <> all (rules.known_words('clients_stage_check')) then
        perform rules.refuse('unknown_value', jsonb_build_object(
          'field', 'stage', 'given', v_new ->> 'stage', 'known', rules.known_words('clients_stage_check'),
          'check', 'clients_stage_check'
        ));
      end if;
      v_wrong := (
        select jsonb_build_object('setting', 'waiting_flags', 'value', w.flag, 'expected', 'a flag of stage_flags')
        from jsonb_array_elements_text(v_new -> 'waiting_flags') as w (flag)
        where not exists (select from public.stage_flags f where f.flag = w.flag)
        limit 1
      );
    when 'stage_flags' then
      v_wrong := (
        select jsonb_build_object(
          'setting', 'flag', 'value', v_old -> 'flag', 'stage', s.stage, 'expected', 'a flag that no stage waits for'
        )
        from public.stages s
        where v_old ->> 'flag' = any (s.waiting_flags)
          and v_new ->> 'flag' is distinct from v_old ->> 'flag'
        limit 1
      );
    when 'stage_seasons' then
      v_wrong := (
        select jsonb_build_object('setting', 'flag', 'value', f.flag, 'expected', 'a flag that people do not set')
        from public.stage_flags f
        where f.flag = v_new ->> 'flag'
          and f.set_by && '{anyone,human}'
      );
  end case;
  if v_wrong is not null then
    perform rules.refuse('setting_not_valid', v_wrong);
  end if;
  if tg_op = 'DELETE' then
    return old;
  end if;
  return new;
end
$$;
