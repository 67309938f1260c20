-- The ids of the next clients, in order. Apart from the list with filters, which plans anew
-- whatever it calls, so that this keeps its plan.
create or replace function rules.next_clients(
  after  bigint,
  active boolean,
  number integer
)
returns bigint[]
language plpgsql
stable
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_variable
begin
  return array(
    select c.id
    from public.clients c
    where c.id > coalesce(after, -9223372036854775808)
      and c.active = active
    order by c.id
    limit number
  );
end
$$;
