-- What the host's table of clients lacks, so that nothing of ours can work on it; no row if there is no such table yet.
with clients as (
  select c.oid, c.relkind
  from pg_catalog.pg_class as c
  where c.oid = to_regclass('public.clients')
),

needed as (
  select n.name, n.category, n.type, a.attnum, format_type(a.atttypid, a.atttypmod) as is_type, t.typcategory
  from clients as c
  cross join (
    values ('id', 'N', 'bigint'), ('name', 'S', 'text'), ('slug', 'S', 'text')
  ) as n (name, category, type)
  left join pg_catalog.pg_attribute as a on c.oid = a.attrelid and n.name = a.attname and not a.attisdropped
  left join pg_catalog.pg_type as t on a.atttypid = t.oid
)

select 'public.clients isn''t an ordinary table, and only one works'
from clients as c
where c.relkind <> 'r'
union all
select case
  when n.attnum is null then format(
    'public.clients has no column %1$I; if it was renamed: alter table public.clients rename column … to %1$I', n.name
  )
  else format('column %I of public.clients is %s, and has to be %s', n.name, n.is_type, n.type)
end
from needed as n
where n.attnum is null
  or n.typcategory <> n.category
union all
select 'public.clients has no primary key on id: alter table public.clients add primary key (id)'
from clients as c
inner join needed as n on n.name = 'id' and n.attnum is not null
where c.relkind = 'r'
  and not exists (
    select
    from pg_catalog.pg_constraint as k
    where k.conrelid = c.oid
      and k.contype in ('p', 'u')
      and k.conkey = array[n.attnum]
  );
