-- The arguments of a query string, whose form the gateway has looked at: an object of texts. An empty one was left out.
create or replace function rules.query_arguments(query text)
returns jsonb
language plpgsql
immutable
as $$
#variable_conflict use_variable
begin
  return (
    select coalesce(jsonb_object_agg(split_part(s.pair, '=', 1), d.value), '{}')
    from string_to_table(query, '&') as s (pair)
    cross join lateral (
      select convert_from(
        string_agg(
          case
            when left(m.part[1], 1) = '%' then decode(substr(m.part[1], 2), 'hex')
            else convert_to(m.part[1], 'UTF8')
          end,
          '' order by m.place
        ),
        'UTF8'
      ) as value
      from regexp_matches(
        replace(substr(s.pair, strpos(s.pair, '=') + 1), '+', ' '), '%[0-9A-Fa-f]{2}|[^%]+', 'g'
      ) with ordinality as m (part, place)
    ) as d
    where d.value is not null
  );
end
$$;
