-- Rows of the administered tables that differ from their newest record: a change bypassed the
-- triggers, or their newest record was removed.
create or replace function rules.administration_mismatches()
returns table (
  about   text,    -- the table
  key     jsonb,   -- of the row
  problem text     -- row_gone, row_added, row_changed
)
language plpgsql
stable
-- as rules.record_administration renders them
set timezone = 'UTC'
set intervalstyle = 'postgres'
as $$
#variable_conflict use_variable
declare
  v_table   record;
  v_rows    jsonb;
  v_present jsonb := jsonb '[]';
begin
  for v_table in select t.name, t.key from rules.administered_tables() t loop
    execute format('select coalesce(jsonb_agg(to_jsonb(t.*)), ''[]'') from public.%I t', v_table.name)
    into v_rows;
    v_present := v_present || (
      select coalesce(jsonb_agg(jsonb_build_object(
        'about', v_table.name,
        'key', (
          select jsonb_object_agg(k.name, kept.row_ -> k.name)
          from unnest(v_table.key) as k (name)
        ),
        'row', kept.row_
      )), '[]')
      from jsonb_array_elements(v_rows) as r (row_)
      cross join lateral rules.administration_row(r.row_) as kept (row_)
    );
  end loop;

  return query
    select
      coalesce(p.about, r.about), coalesce(p.key, r.key),
      case
        when p.row_ is null then 'row_gone'
        when r.after is null then 'row_added'
        else 'row_changed'
      end
    from (
      select e.entry ->> 'about' as about, e.entry -> 'key' as key, e.entry -> 'row' as row_
      from jsonb_array_elements(v_present) as e (entry)
    ) as p
    full join (
      select distinct on (a.about, a.key) a.about, a.key, a.after
      from public.administration_history a
      order by a.about, a.key, a.id desc
    ) as r on r.about = p.about and r.key = p.key
    where (p.row_ is null) <> (r.after is null)
      -- a record from before a column was added does not have it
      or exists (
        select
        from jsonb_each(r.after) as w (word, value)
        where p.row_ -> w.word is distinct from w.value
      )
    order by 1, 2;
end
$$;
