-- The refusal of a flag that there is not, or null.
create or replace function rules.unknown_flag(flag text)
returns jsonb
language plpgsql
stable
as $$
begin
  return case
    when not exists (select from public.stage_flags f where f.flag = unknown_flag.flag)
      then rules.refusal('unknown_flag', jsonb_build_object(
        'flag', left(flag, 200),
        'known', (select jsonb_agg(f.flag order by f.flag) from public.stage_flags f)
      ))
  end;
end
$$;
