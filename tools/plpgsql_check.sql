-- What plpgsql_check finds: function, line, statement, level, state, message, detail, hint.
-- A trigger function is checked once per table, with the transition tables of all its triggers there.
select
  f.signature, c.lineno, c.statement, c.level, c.sqlstate, c.message, coalesce(c.detail, '') as detail, c.hint
from (
  select
    p.oid,
    p.oid::regprocedure::text as signature,
    coalesce(t.tgrelid, 0)::oid as relation,
    max(t.tgoldtable::text) as oldtable,
    max(t.tgnewtable::text) as newtable
  from pg_proc as p
  inner join pg_namespace as n on p.pronamespace = n.oid
  inner join pg_language as l on p.prolang = l.oid and l.lanname = 'plpgsql'
  left join pg_trigger as t on p.oid = t.tgfoid and not t.tgisinternal
  where n.nspname in ('rules', 'api', 'jobs', 'ops')
  group by p.oid, t.tgrelid
) as f
cross join lateral plpgsql_check_function_tb(
  funcoid              => f.oid::regprocedure,
  relid                => f.relation,
  oldtable             => f.oldtable,
  newtable             => f.newtable,
  fatal_errors         => false,
  other_warnings       => true,
  extra_warnings       => true,
  performance_warnings => false,
  security_warnings    => true
) as c
order by f.signature, f.relation;
