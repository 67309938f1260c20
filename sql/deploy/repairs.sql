-- What changed since the last deploy and a statement restores: object, aspect, table, its owner, statements.
select
  c.kind || ' ' || c.name,
  c.aspect,
  c.relation,
  (
    select t.relowner::regrole::text from pg_catalog.pg_class as t
where t.oid = to_regclass(c.relation)
  ),
  c.undo,
  c.mend
from ops.changes_since_deploy() as c
where c.undo is not null
  or c.mend is not null;
