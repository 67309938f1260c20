-- These clients as answers show them, in this order. Apart from the lists, so that it keeps its plan whatever
-- theirs are: planning this costs more than a page of it.
create or replace function rules.clients_json(client_ids bigint[])
returns json
language plpgsql
stable
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_variable
begin
  return (
    select coalesce(json_agg(shown.client order by n.nth), '[]')
    from unnest(client_ids) with ordinality as n (id, nth)
    join rules.shown_clients(client_ids) shown on shown.id = n.id
  );
end
$$;
