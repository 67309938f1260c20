-- The host's objects on `clients` that can stop or rewrite a change: triggers, rules and restrictive policies, each
-- with the line that takes it out of the way.
create or replace function ops.host_objects_on_clients()
returns table (
  object      text,
  can_rewrite boolean,   -- it can store something else than what was recorded
  line        text
)
language plpgsql
stable
as $$
#variable_conflict use_variable
begin
  return query
    select
      format('trigger %I', t.tgname), t.tgtype & 3 = 3,   -- before each row
      format('alter table public.clients disable trigger %I;', t.tgname)
    from rules.host_triggers() t
    union all
    select format('rule %I', r.rulename), true, format('drop rule %I on public.clients;', r.rulename)
    from pg_catalog.pg_rewrite r
    where r.ev_class = 'public.clients'::regclass
    union all
    select
      format('policy %I', p.polname), true,
      format(
        'alter policy %I on public.clients%s%s;', p.polname,
        ' using (current_user in (''atlas_owner'', ''atlas_writer'') or (' || pg_get_expr(p.polqual, p.polrelid) || '))',
        ' with check (current_user in (''atlas_owner'', ''atlas_writer'') or ('
          || pg_get_expr(p.polwithcheck, p.polrelid) || '))'
      )
    from pg_catalog.pg_policy p
    where p.polrelid = 'public.clients'::regclass
      and not p.polpermissive;
end
$$;
