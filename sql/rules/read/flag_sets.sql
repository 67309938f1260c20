-- The different sets of flags that active clients of a stage carry, without the empty set. Each
-- lookup starts after the set before, so the cost is one index lookup per set, however many clients
-- carry it.
create or replace function rules.flag_sets(stage text)
returns table (flags text[])
language plpgsql
stable
-- planned once per session, also if the caller sets force_custom_plan
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
