-- Record what is deployed. Of the tables, only what the migrations name: the rest is the host's.
-- $1: every word in the migrations.
insert into public.stage_installation (kind, name, aspect, value, relation, mend)
select i.kind, i.name, i.aspect, i.value, i.relation, i.mend
from ops.installation() as i
where i.ours
  and i.words <@ $1::text[]
  and (i.relation is null or split_part(i.relation, '.', 2) = any($1::text[]));
