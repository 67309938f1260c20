-- Write rules.call_function anew from the functions that `api` has: for each one the check of its arguments and its call, as
-- static statements. A dynamic one is parsed and planned at each request, which cost a read 25 to 60 microseconds.
-- Names are compared in groups, because PL/pgSQL evaluates one comparison after the other.
create or replace function rules.write_calls()
returns void
language plpgsql
volatile
as $do$
#variable_conflict use_variable
begin
  -- @plpgsql_check_options: security_warnings = off
  execute (
    with functions as (
      select
        p.proname::text collate "C" as name,
        ntile(7) over (order by p.proname::text collate "C") as part,
        format(
          case p.provolatile when 'v' then '
    if called = %1$L then
      said := %2$s;
      if current_setting(''transaction_read_only'') = ''on'' then
        begin
          return %3$s;
        exception when read_only_sql_transaction then
          perform rules.refuse_to_write(body);
        end;
      end if;
      if current_setting(''atlas.token_use_is_old'', true) = ''true'' then
        perform rules.mark_token_use();
      end if;
      return %3$s;
    end if;'
          else '
    if called = %1$L then
      said := %2$s;
      return %3$s;
    end if;'
          end,
          p.proname, t.checked, t.call
        ) as branch
      from pg_catalog.pg_proc p
      cross join lateral rules.call_text(p.oid) t
      where p.pronamespace = 'api'::regnamespace
        and (p.pronargs = 0 or p.proargnames is not null)
    ),
    parts as (
      select f.part, format('if called <= %L collate "C" then%s', max(f.name), string_agg(f.branch, '' order by f.name)) as branch
      from functions f
      group by f.part
    )
    select format(
      '
create or replace function rules.call_function(
  called  text,
  said    jsonb,  -- the arguments of the body or query
  by_path jsonb,  -- those of the path, as texts; null: no path of the plan
  body    bytea   -- null: said has the texts of a query
)
returns json
language plpgsql
volatile
as $$
#variable_conflict use_variable
begin
  %s
  end if;
  return rules.call_new_function(called, said, by_path, body);
end
$$',
      string_agg(p.branch, '
  els' order by p.part)
    )
    from parts p
  );
end
$do$;
