-- Drift since the last deploy: aspects of the installation that have changed, each with the statements that undo and
-- repair the change. A new right of one of our roles on one of our tables is drift, too. Parentheses are ignored,
-- because dump and restore remove some.
create or replace function ops.changes_since_deploy()
returns table (
  kind      text,
  name      text,
  aspect    text,
  deployed  text,
  found     text,
  relation  text,
  undo      text,
  mend      text
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
begin
  return query
    with found as (
      select * from ops.installation()
    ),
    changed as (
      select i.kind, i.name, i.aspect, i.value as deployed, f.value as found, i.relation, i.mend
      from public.stage_installation i
      left join found f on f.kind = i.kind and f.name = i.name and f.aspect = i.aspect
      where translate(f.value, '()', '') is distinct from translate(i.value, '()', '')
        and not (
          i.aspect like 'definition in %'
          and f.value is null
          and exists (select from found v where v.kind = i.kind and v.name = i.name and v.aspect like 'definition in %')
        )
      union all
      select f.kind, f.name, f.aspect, null, f.value, f.relation, null
      from found f
      where f.aspect like 'rights of %'
        -- a sequence of a column of the host's: a trial asks for this right
        and (f.kind, f.relation) <> ('sequence', 'public.clients')
        and exists (select from public.stage_installation i where i.relation = f.relation)
        and not exists (
          select
          from public.stage_installation i
          where i.kind = f.kind
            and i.name = f.name
            and i.aspect = f.aspect
        )
    )
    select
      c.kind, c.name, c.aspect, c.deployed, c.found, c.relation,
      case
        when c.found is not null and c.aspect like 'rights of %' then format(
          'revoke all%s on %s %s from %s',
          case when c.kind = 'column' then format(' (%s)', substr(c.name, length(c.relation) + 2)) end,
          case when c.kind = 'sequence' then 'sequence' else 'table' end,
          case when c.kind = 'sequence' then c.name else c.relation end,
          substr(c.aspect, length('rights of ') + 1)
        )
      end,
      -- a CREATE statement doesn't change an existing object
      case when c.found is null or c.kind in ('table', 'column', 'sequence', 'constraint') then c.mend end
    from changed c
    order by
      array_position(array['role', 'schema', 'type', 'function', 'table', 'column', 'sequence'], c.kind),
      c.kind, c.name, c.aspect;
end
$$;
