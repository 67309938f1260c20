-- Roles that the last deploy recorded and this server doesn't have, with the statement that creates each.
select i.name, i.mend
from public.stage_installation as i
where i.kind = 'role'
  and i.aspect = 'may'
  and to_regrole(i.name) is null
order by 1;
