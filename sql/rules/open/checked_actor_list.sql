-- A list of at most 100 actor ids as it is stored: checked, sorted, without duplicates. Null stays
-- null.
create or replace function rules.checked_actor_list(
  actor_ids text[],
  are_new   boolean default false
)
returns text[]
language plpgsql
immutable
as $$
#variable_conflict use_variable
declare
  v_actor_id text;
begin
  if cardinality(actor_ids) > 100 then
    perform rules.refuse('text_too_long', jsonb_build_object(
      'field', 'actor ids', 'length', cardinality(actor_ids), 'max_length', 100
    ));
  end if;
  foreach v_actor_id in array coalesce(actor_ids, '{}') loop
    perform rules.require_actor_id(v_actor_id, are_new);
  end loop;
  return case
    when actor_ids is not null
      then (select coalesce(array_agg(distinct a order by a), '{}') from unnest(actor_ids) as a)
  end;
end
$$;
