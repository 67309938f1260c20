-- A search path for a function of the host that missed a name: that of our calls, its own schema, and the schemas that
-- have an object of that name.
create or replace function ops.trial_path(
  in_routine regprocedure,
  message    text
)
returns text
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_name constant text := (regexp_match(message, '(?:relation|function|type) "?([^"( ]+)'))[1];
begin
  return (
    select string_agg(p.name, ', ' order by p.nth, p.name)
    from (
      select s.name, min(s.nth) as nth
      from (
        select w.name, w.nth from unnest(rules.writer_path()) with ordinality as w (name, nth)
        union all
        select quote_ident(n.nspname), 100
        from pg_catalog.pg_namespace n
        where n.nspname !~ '^(pg_|information_schema|(rules|api|jobs|ops)$)'
          and n.oid in (
            select p.pronamespace from pg_catalog.pg_proc p where p.oid = in_routine or p.proname = v_name
            union all
            select c.relnamespace from pg_catalog.pg_class c where c.relname = v_name
            union all
            select t.typnamespace from pg_catalog.pg_type t where t.typname = v_name
          )
      ) as s
      group by s.name
    ) as p
  );
end
$$;
