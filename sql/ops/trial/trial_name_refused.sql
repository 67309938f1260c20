-- Whether the host's constraint concerns only the id, name and slug of the trial's client. It may accept a caller's.
create or replace function ops.trial_name_refused(error ops.trial_error)
returns boolean
language plpgsql
stable
as $$
#variable_conflict use_variable
begin
  return coalesce((
    select bool_and(a.attname in ('id', 'name', 'slug'))
    from (
      select unnest(k.conkey) as attnum
      from pg_catalog.pg_constraint k
      where k.conrelid = 'public.clients'::regclass and k.conname = error.constraint_name
      union all
      select unnest(i.indkey::smallint[])
      from pg_catalog.pg_index i
      join pg_catalog.pg_class c on c.oid = i.indexrelid
      where i.indrelid = 'public.clients'::regclass and c.relname = error.constraint_name
    ) concerned
    join pg_catalog.pg_attribute a on a.attrelid = 'public.clients'::regclass and a.attnum = concerned.attnum
    where left(error.state, 2) = '23'
  ), false);
end
$$;
