-- The sequences of our tables, and of clients, that are behind their rows, or whose rows
-- have ids that no sequence can follow: ids beyond 2^52 leave too few numbers for new rows before
-- 2^53, where JSON readers stop being exact.
create or replace function ops.sequences_behind()
returns table (
  sequence    text,
  relation    text,
  next_value  bigint,
  newest      bigint,   -- the greatest id up to 2^52
  too_large   bigint    -- the greatest id beyond 2^52; null: there is none
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_found record;
  v_table regclass;
  v_largest constant bigint := 4503599627370496;
begin
  for v_found in
    select s.oid::regclass::text as sequence, d.refobjid::regclass as relation, a.attname as column_name
    from pg_catalog.pg_class s
    join pg_catalog.pg_depend d on d.objid = s.oid and d.classid = 'pg_class'::regclass and d.deptype in ('a', 'i')
    join pg_catalog.pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
    join pg_catalog.pg_class c on c.oid = d.refobjid
    where s.relkind = 'S'
      and c.relnamespace = 'public'::regnamespace
      and has_table_privilege(c.oid, 'select')
      and case when s.relkind = 'S' then has_sequence_privilege(s.oid, 'usage, select') end
      and (c.relname = 'clients' or exists (
        select from public.stage_installation i where i.relation = c.oid::regclass::text
      ))
  loop
    sequence := v_found.sequence;
    relation := v_found.relation::text;
    v_table := v_found.relation;
    next_value := coalesce(pg_sequence_last_value(sequence::regclass) + 1, 1);
    execute format(
      'select (select max(t.%I) from %s t where t.%I <= $1), (select max(t.%I) from %s t where t.%I > $1)',
      v_found.column_name, v_table, v_found.column_name, v_found.column_name, v_table, v_found.column_name
    )
    into newest, too_large
    using v_largest;
    if newest >= next_value or too_large is not null then
      return next;
    end if;
  end loop;
end
$$;
