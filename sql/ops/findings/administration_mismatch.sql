-- A row that decides the rules and is not what its newest record says: it was changed around the triggers.
create or replace function ops.administration_mismatch()
returns setof ops.finding
language plpgsql
stable
-- as the record writes them
set timezone = 'UTC'
set intervalstyle = 'postgres'
as $$
declare
  v_table   text;
  v_present jsonb := jsonb '[]';
  v_rows    jsonb;
begin
  for v_table in select t.name from jsonb_array_elements_text(rules.administered_tables()) as t (name) loop
    execute format('select coalesce(jsonb_agg(to_jsonb(t.*)), ''[]'') from public.%I t', v_table) into v_rows;
    v_present := v_present || (
      select coalesce(jsonb_agg(jsonb_build_object(
        'about', v_table, 'key', rules.administration_key(v_table, r.row_), 'row', rules.administration_row(r.row_)
      )), '[]')
      from jsonb_array_elements(v_rows) as r (row_)
    );
  end loop;

  return query
    select
      'administration_mismatch',
      'error',
      jsonb_build_object('about', coalesce(p.about, r.about), 'key', coalesce(p.key, r.key)),
      format(
        'the row %s of %s %s', coalesce(p.key, r.key), coalesce(p.about, r.about),
        case
          when p.row_ is null then 'is gone, and the record does not say who removed it'
          when r.after is null then 'is there, and the record does not say who added it'
          else 'is not what the record of its last change says'
        end
      ),
      'find out who changed it around the triggers; write it again by plain SQL, which is recorded'
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
      -- a column that came later is in no record of before
      or exists (
        select from jsonb_each(r.after) as w (word, value) where p.row_ -> w.word is distinct from w.value
      );
end
$$;
