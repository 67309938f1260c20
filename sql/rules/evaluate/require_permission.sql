-- EVALUATE only a permission: for requests that are not about one client (grants, tokens, runs), or about a client as
-- it is now.
create or replace function rules.require_permission(
  actor_id   text,
  permission text,
  client_id  bigint default null
)
returns void
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_facts   rules.facts;
  v_missing rules.violation;
begin
  if client_id is not null then
    select f.*
    into v_facts
    from public.clients c
    cross join lateral rules.facts_of(rules.state_of(c.*), actor_id) f
    where c.id = client_id;
    if v_facts.stage is null then
      perform rules.refuse('client_not_found', jsonb_build_object('client_id', client_id));
    end if;
  end if;
  v_missing := rules.missing_permission(actor_id, permission, v_facts);
  if v_missing is not null then
    perform rules.refuse_all(
      array[v_missing], jsonb_strip_nulls(jsonb_build_object('client_id', client_id))
    );
  end if;
end
$$;
