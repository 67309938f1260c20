-- The parts of a list, each of which an index gives in order: the stages that are wanted (null: all); where a flag is
-- wanted, each set of flags that has it, in each of them.
create or replace function rules.list_parts(
  stages text[],
  flag   text
)
returns table (
  stage    text,
  flags    text[],   -- null where no flag is wanted
  max_days integer
)
language plpgsql
stable
as $$
#variable_conflict use_variable
begin
  if flag is null then
    return query
      select s.stage, null::text[], s.max_days
      from public.stages s
      where stages is null or s.stage = any (stages);
  else
    return query
      select s.stage, carried.flags, s.max_days
      from public.stages s
      cross join lateral rules.flag_sets(s.stage) carried
      where (stages is null or s.stage = any (stages))
        and carried.flags @> array[flag];
  end if;
end
$$;
