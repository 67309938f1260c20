-- The different sets of flags that active clients of a stage carry, the empty one aside. Each is looked up behind the
-- one before, so it costs as many look-ups in an index as there are sets, however many clients carry them.
create or replace function rules.flag_sets(stage text)
returns table (flags text[])
language plpgsql
stable
-- planned once a session, also where the caller has each of its own queries planned anew
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_variable
begin
  flags := '{}';
  loop
    flags := (
      select c.flags
      from public.clients c
      where c.stage = flag_sets.stage
        and c.active
        and c.flags <> '{}'
        and c.flags > flag_sets.flags
      order by c.flags
      limit 1
    );
    exit when flags is null;
    return next;
  end loop;
end
$$;
