-- The arguments that name clients by their slugs, with the ids in their place; '{}' where a call names none so.
create or replace function rules.named_clients(
  called text,  -- a function of api
  said   jsonb  -- its arguments
)
returns jsonb
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_ids  jsonb := jsonb '{}';
  v_name text;
  v_list jsonb;
begin
  for v_name in
    select a.name
    from pg_catalog.pg_proc p
    cross join unnest(p.proargnames) as a (name)
    where p.pronamespace = 'api'::regnamespace
      and p.proname = called
      and a.name in ('client_id', 'client_ids')
      and said ? a.name
  loop
    v_list := case when v_name = 'client_id' then jsonb_build_array(said -> v_name) else said -> v_name end;
    if jsonb_typeof(v_list) = 'string' then
      begin
        v_list := to_jsonb((v_list #>> '{}')::text[]);  -- as a query writes an array
      exception when data_exception then
        continue;
      end;
    end if;
    if jsonb_typeof(v_list) <> 'array' then
      continue;
    end if;

    select jsonb_agg(case when n.is_slug then to_jsonb(rules.client_id_of(e.item #>> '{}')) else e.item end order by e.place)
    into v_list
    from jsonb_array_elements(v_list) with ordinality as e (item, place)
    cross join lateral (
      select jsonb_typeof(e.item) = 'string' and rules.whole_number(e.item #>> '{}') is null as is_slug
    ) as n
    having bool_or(n.is_slug);
    if found then
      v_ids := v_ids || jsonb_build_object(v_name, case when v_name = 'client_id' then v_list -> 0 else v_list end);
    end if;
  end loop;
  return v_ids;
end
$$;
