-- The lines that fix what failed in a trial. They change the host's objects, so they are printed and never run.
create or replace function ops.trial_lines(
  error      ops.trial_error,
  in_routine regprocedure       -- the host's function that failed; null: none
)
returns text
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_role   constant text := case
    when error.way like 'plain SQL as %' then substr(error.way, length('plain SQL as ') + 1) else 'atlas_writer'
  end;
  v_denied constant text[] := regexp_match(error.message, 'permission denied for ([a-z]+) ([^ ]+)');
begin
  return coalesce(
    -- its owner's rights and its author's path, together: after one of them alone, the next name or right would fail
    case when left(error.state, 2) in ('42', '3F') and in_routine is not null then format(
      'alter function %s security definer set search_path = %s, pg_temp;',
      in_routine, ops.trial_path(in_routine, error.message)
    ) end,
    (
      select format('grant %s on %s %s to %I;', k.rights, v_denied[1], found.name, v_role)
      from (values
        ('table', 'select, insert, update'), ('view', 'select, insert, update'), ('sequence', 'usage'),
        ('function', 'execute'), ('schema', 'usage'), ('type', 'usage')
      ) as k (kind, rights)
      cross join lateral (
        select c.oid::regclass::text as name from pg_catalog.pg_class c
        where c.relname = v_denied[2] and k.kind in ('table', 'view', 'sequence')
        union all
        select p.oid::regprocedure::text from pg_catalog.pg_proc p where p.proname = v_denied[2] and k.kind = 'function'
        union all
        select format('%I', v_denied[2]) where k.kind in ('schema', 'type')
      ) found
      where k.kind = v_denied[1]
      limit 1
    ),
    case when error.state = '23502' then coalesce(
      (
        select format('alter table public.clients alter column %I drop not null;', a.attname)
        from pg_catalog.pg_attribute a
        where a.attrelid = 'public.clients'::regclass
          and a.attname = error.column_name
          and not exists (  -- one of ours
            select from pg_catalog.pg_attribute o
            where o.attrelid in ('rules.client_state'::regclass, 'rules.client_fields'::regclass)
              and o.attname = a.attname
          )
      ),
      (
        select format('alter domain %s drop not null;', t.oid::regtype)
        from pg_catalog.pg_type t
        where t.typname = error.type_name and t.typnotnull
        limit 1
      )
    ) end,
    (
      -- a default that can be there only once
      select string_agg(format(
        'alter table public.clients alter column %I drop default, alter column %I drop not null;', a.attname, a.attname
      ), ' ' order by a.attnum)
      from pg_catalog.pg_index i
      join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
      where error.state = '23505'
        and i.indrelid = 'public.clients'::regclass
        and i.indexrelid = to_regclass(format('public.%I', error.constraint_name))
    ),
    (
      select format(
        'alter %s drop constraint %I;',
        case k.contypid when 0 then 'table ' || k.conrelid::regclass else 'domain ' || k.contypid::regtype end, k.conname
      )
      from pg_catalog.pg_constraint k
      where k.conname = nullif(error.constraint_name, '')
        and not exists (
          -- one of ours protects the records: the host's trigger or rule has to change
          select from public.stage_installation i
          where i.kind = 'constraint' and i.name = format('%s on %s', k.conname, k.conrelid::regclass)
        )
      order by k.conrelid = 'public.clients'::regclass desc
      limit 1
    ),
    (
      select string_agg(format('alter table public.clients disable trigger %I;', t.tgname), ' ' order by t.tgname)
      from pg_catalog.pg_trigger t
      where t.tgrelid = 'public.clients'::regclass and t.tgfoid = in_routine
    ),
    (select string_agg(o.line, ' ' order by o.object) from ops.host_objects_on_clients() o where o.can_rewrite),
    'change what the error reports; the rules themselves are as deployed'
  );
end
$$;
