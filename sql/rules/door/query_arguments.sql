-- The arguments in a query string, as texts. An argument without a value is left out.
create or replace function rules.query_arguments(
  query   text,
  method  text,
  limited text  -- the argument that this query may call limit; null: none
)
returns jsonb
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_pairs constant text[] := string_to_array(rtrim(query, '&'), '&');
  v_said  jsonb;
  v_names bigint;
begin
  -- a name is written plainly: %6cimit is none, and a semicolon joins nothing
  if method <> 'GET' or query !~ '^([a-z_]+=[^&;]*(&[a-z_]+=[^&;]*)*&?)?$' then
    perform rules.refuse('unknown_argument', jsonb_build_object('expected', case method
      when 'GET' then 'name=value, joined by &' else 'arguments in the body only'
    end));
  end if;
  select
    coalesce(jsonb_object_agg(a.name, rules.url_decoded(replace(a.value, '+', ' '))) filter (where a.value <> ''), '{}'),
    count(distinct a.name)
  into v_said, v_names
  from unnest(v_pairs) as pair
  cross join lateral (
    select
      case when pair like 'limit=%' then coalesce(limited, 'limit') else split_part(pair, '=', 1) end as name,
      substr(pair, strpos(pair, '=') + 1) as value
  ) as a;
  if v_names < cardinality(v_pairs) then
    perform rules.refuse('argument_twice');
  end if;
  return v_said;
end
$$;
