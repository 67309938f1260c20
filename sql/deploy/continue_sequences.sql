-- Let sequences that are behind their rows continue after them; what was done, in words.
select
  format('sequence %s: it continues after %s', s.sequence, s.newest),
  setval(s.sequence::regclass, s.newest)
from ops.sequences_behind() as s
where s.newest >= s.next_value;
