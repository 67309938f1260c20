-- What changed since the last deploy and a statement restores: object, aspect, table, statements.
select c.kind || ' ' || c.name, c.aspect, c.relation, c.undo, c.mend
from ops.changes_since_deploy() as c
where c.undo is not null
  or c.mend is not null;
