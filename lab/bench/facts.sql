-- What the calls name: a client in weekly, its newest change, and fifty to move and to flag.
select
  c.id as client,
  c.version,
  (select max(h.id) from public.stage_history h where h.client_id = c.id) as newest,
  (select count(*) from public.clients) as clients,
  api.summary() ->> 'cursor' as cursor,
  (select min(b.id) from public.clients b where b.flags = '{client_blocking}') as blocked,
  fifty.moves,
  fifty.flags
from public.clients c
cross join (
  select
    jsonb_agg(jsonb_build_object(
      'client_id', w.id, 'to_stage', 'eom_close', 'reason', 'measured', 'expected_version', w.version
    )) as moves,
    jsonb_agg(jsonb_build_object('client_id', w.id, 'flag', 'advisory_due', 'set', true)) as flags
  from (select w.id, w.version from public.clients w where w.stage = 'weekly' order by w.id limit 50) as w
) as fifty
where c.stage = 'weekly'
  and c.flags = '{}'
order by c.id
offset 400
limit 1
