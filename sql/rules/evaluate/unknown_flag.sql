-- The violation of a flag that doesn't exist; null if it does.
create or replace function rules.unknown_flag(flag text)
returns rules.violation[]
language plpgsql
stable
as $$
#variable_conflict use_variable
begin
  if exists (select from public.stage_flags f where f.flag = unknown_flag.flag) then
    return null;
  end if;
  return array[('unknown_flag', jsonb_build_object(
    'flag', left(flag, 200),
    'known', (select jsonb_agg(f.flag order by f.flag) from public.stage_flags f)
  ))::rules.violation];
end
$$;
