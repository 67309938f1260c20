-- Write a static call of each function that `api` has into rules.call_function: the check of its
-- arguments, and the call. A dynamic statement is parsed and planned at each request, which cost a
-- read 25 to 60 microseconds. Generating the calls avoids a list that is maintained manually.
create or replace function rules.write_calls()
returns void
language plpgsql
volatile
as $do$
#variable_conflict use_variable
declare
  v_reads  constant text := $text$
    if called = %1$L then
      said := %2$s;
      return %3$s;
    end if;
$text$;
  -- GET is handled here too, also on a standby, where functions that write nothing, such as whoami, are called
  v_writes constant text := $text$
    if called = %1$L then
      said := %2$s;
      if current_setting('transaction_read_only') = 'on' then
        begin
          return %3$s;
        exception when read_only_sql_transaction then
          if written is null then
            perform rules.refuse_method('{POST}');
          end if;
          perform rules.refuse('service_away');
        end;
      end if;
      if current_setting('atlas.token_use_is_old', true) = 'true' then
        perform rules.mark_token_use();
      end if;
      return %3$s;
    end if;
$text$;
  v_calls  text;
begin
  with functions as (
    select
      p.proname::text collate "C" as name,
      ntile(7) over (order by p.proname::text collate "C") as part,
      format(
        case p.provolatile when 'v' then v_writes else v_reads end, p.proname, t.checked, t.call
      ) as text
    from pg_catalog.pg_proc p
    cross join lateral rules.call_text(p.oid) t
    where p.pronamespace = 'api'::regnamespace
      and (p.pronargs = 0 or p.proargnames is not null)
  ),
  -- grouped, because PL/pgSQL compares one branch after another
  parts as (
    select
      f.part,
      format(
        'if called <= %L collate "C" then%s', max(f.name), string_agg(f.text, '' order by f.name)
      ) as text
    from functions f
    group by f.part
  )
  select string_agg(p.text, '  els' order by p.part) || '  end if;'
  into v_calls
  from parts p;

  -- @plpgsql_check_options: security_warnings = off
  execute replace(
    pg_catalog.pg_get_functiondef('rules.call_function'::regproc),
    E'\nbegin\n',
    E'\nbegin\n  ' || v_calls || E'\n\n'
  );
end
$do$;
