-- The arguments in a query string, as texts. An argument without a value is left out.
create or replace function rules.query_arguments(
  query   text,
  renames jsonb  -- names that the path uses for arguments of the function; null: none
)
returns jsonb
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_said   jsonb;
  v_number bigint;
  v_names  bigint;
begin
  -- a name is written plainly: %6cimit is none, and a semicolon joins nothing
  if query !~ '^([a-z_]+=[^&;]*(&[a-z_]+=[^&;]*)*&?)?$' then
    perform rules.refuse('unknown_argument', jsonb_build_object('expected', 'name=value, joined by &'));
  end if;
  select
    coalesce(jsonb_object_agg(a.name, rules.url_decoded(replace(a.value, '+', ' '))) filter (where a.value <> ''), '{}'),
    count(*),
    count(distinct a.name)
  into v_said, v_number, v_names
  from string_to_table(rtrim(query, '&'), '&') as pair
  cross join lateral (select split_part(pair, '=', 1) as name, substr(pair, strpos(pair, '=') + 1) as value) as p
  cross join lateral (select coalesce(renames ->> p.name, p.name) as name, p.value) as a;
  if v_names < v_number then
    perform rules.refuse('argument_twice');
  end if;
  return v_said;
end
$$;
