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
  v_pair   text;
  v_name   text;
  v_value  text;
  v_names  text[];
  v_values text[];
  v_empty  text[] := array[]::text[];
  v_said   jsonb;
begin
  if method not in ('GET', 'HEAD') then
    perform rules.refuse('unknown_argument', jsonb_build_object(
      'argument', left(query, 200), 'expected', 'arguments in the body only'
    ));
  end if;
  -- names can't be percent-encoded (%6cimit is unknown), and a semicolon doesn't separate arguments
  if query !~ '^([a-z_]+=[^&;]*(&[a-z_]+=[^&;]*)*&?)?$' then
    perform rules.refuse('unknown_argument', jsonb_build_object(
      'argument', left(query, 200), 'expected', 'name=value, joined by &'
    ));
  end if;

  -- one argument is the usual case; handled separately it takes a quarter of the time
  if query ~ '^[a-z_]+=[^&%+]+$' then
    v_name := split_part(query, '=', 1);
    return jsonb_build_object(
      case when v_name = 'limit' then coalesce(limited, v_name) else v_name end,
      substr(query, length(v_name) + 2)
    );
  end if;
  -- a loop: one query over the pairs took 30 microseconds longer for two or three
  foreach v_pair in array string_to_array(rtrim(query, '&'), '&') loop
    v_name := split_part(v_pair, '=', 1);
    v_value := substr(v_pair, length(v_name) + 2);
    if v_name = 'limit' then
      v_name := coalesce(limited, v_name);
    end if;
    if v_value = '' then
      v_empty := v_empty || v_name;
    elsif strpos(v_value, '%') + strpos(v_value, '+') > 0 then
      v_value := rules.url_decoded(replace(v_value, '+', ' '));
    end if;
    v_names := v_names || v_name;
    v_values := v_values || v_value;
  end loop;
  v_said := jsonb_object(v_names, v_values);
  if (select count(*) from jsonb_object_keys(v_said)) < cardinality(v_names) then
    perform rules.refuse('argument_twice', (
      select jsonb_build_object('argument', min(n.name))
      from (select t.name from unnest(v_names) as t (name) group by t.name having count(*) > 1) as n
    ));
  end if;
  return v_said - v_empty;
end
$$;
