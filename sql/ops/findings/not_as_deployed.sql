-- Drift since the last deploy: made manually, by a restore without owners or rights, or by disabling and enabling
-- triggers.
create or replace function ops.not_as_deployed()
returns setof ops.finding
language plpgsql
stable
as $$
begin
  return query
    select
      'not_as_deployed', 'error',
      jsonb_build_object(
        'kind', c.kind, 'name', c.name, 'aspect', c.aspect, 'deployed', c.deployed, 'found', c.found
      ),
      case
        when c.found is null and (c.aspect like 'definition%' or c.aspect in ('owner', 'may') or c.kind = 'index') then
          format('%s %s is missing', c.kind, c.name)
        when c.deployed is null then format('%s %s: %s are new: %s', c.kind, c.name, c.aspect, c.found)
        when c.found is null then format('%s %s: %s are missing', c.kind, c.name, c.aspect)
        when c.kind in ('function', 'type', 'view', 'policy') and c.aspect like 'definition%' then
          format('%s %s is not what was deployed', c.kind, c.name)
        else format('%s %s: %s is %s, and was deployed as %s', c.kind, c.name, c.aspect, c.found, c.deployed)
      end,
      'run: atlas-stage migrate'
    from ops.changes_since_deploy() c
    where c.found is not null
      or (c.aspect not in ('rights', 'state') or c.kind = 'index')   -- report a missing object once
      and not (c.kind in ('function', 'type', 'view') and c.aspect = 'owner');
end
$$;
