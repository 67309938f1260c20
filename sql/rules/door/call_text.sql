-- What rules.call_function runs for a function of `api`, as two expressions: `checked` checks the
-- arguments, which are in said, by_path and written, and `call` calls the function with the checked
-- ones in said. An omitted argument gets the default that the function declares.
create or replace function rules.call_text(
  called oid,
  out checked text,
  out call    text
)
language plpgsql
stable
as $$
#variable_conflict use_variable
begin
  select
    format(
      'rules.checked_arguments(said, by_path, written, %L::text[], %L::jsonb, %L::text[])',
      coalesce(p.proargnames, '{}'),
      jsonb_object(coalesce(p.proargnames, '{}'), (p.proargtypes::regtype[])[0:]::text[]),
      coalesce(p.proargnames[:p.pronargs - p.pronargdefaults], '{}')
    ),
    format(
      case
        when p.prorettype::regtype::text like '%json%' then 'api.%I(%s)'
        else 'to_json(api.%I(%s))'
      end,
      p.proname,
      string_agg(
        case
          when d.value is null then format('%I => %s', a.name, v.value)
          else format(
            '%I => case when said ? %L then %s else %s end', a.name, a.name, v.value, d.value
          )
        end,
        ', ' order by a.nth
      ) filter (where a.nth is not null)
    )
  into checked, call
  from pg_catalog.pg_proc p
  left join lateral unnest(p.proargnames, p.proargtypes::regtype[])
    with ordinality as a (name, type, nth) on true
  left join lateral (
    select case
      when a.type = 'jsonb'::regtype then format('nullif(said -> %L, ''null'')', a.name)
      when a.type::text like '%[]' then format('rules.array_texts(said -> %L)::%s', a.name, a.type)
      else format('(said ->> %L)::%s', a.name, a.type)
    end as value
  ) as v on true
  -- a default of null is what a missing value is anyway; an array's spares a function
  left join lateral (
    select pg_catalog.pg_get_function_arg_default(p.oid, a.nth::integer) as value
  ) as d on d.value not like 'NULL::%' or a.type::text like '%[]'
  where p.oid = called
  group by p.oid;
end
$$;
