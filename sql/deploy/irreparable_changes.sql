-- Changes since the last deploy that a deploy can't repair: kind, name, aspect, deployed, found.
select c.kind, c.name, c.aspect, c.deployed, c.found
from ops.changes_since_deploy() as c
where c.kind in ('role', 'column', 'constraint', 'index');
