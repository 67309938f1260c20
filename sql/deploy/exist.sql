-- Whether the database has these tables, and functions (with their parentheses). $1: their names.
select
  bool_and(
    case when n.name like '%(%' then to_regprocedure(n.name)::oid else to_regclass(n.name)::oid end is not null
  )
from unnest($1::text[]) as n (name);
