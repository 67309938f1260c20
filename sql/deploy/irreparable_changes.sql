-- Changes since the last deploy that a deploy can't repair, in words; no row if there are none.
select
  string_agg(
    case
      when c.found is null then format('%s %s is missing (%s)', c.kind, c.name, c.deployed)
      else format('%s %s: %s is %s, and was deployed as %s', c.kind, c.name, c.aspect, c.found, c.deployed)
    end,
    '; ' order by c.ordinality
  )
from ops.changes_since_deploy() with ordinality as c
where c.kind in ('role', 'column', 'constraint', 'index')
having count(*) > 0;
