-- AFTER INSERT, UPDATE or DELETE STATEMENT, and BEFORE TRUNCATE, on the tables that decide the rules: put on record who
-- changed what. The trigger's argument is the channel.
create or replace function rules.record_administration()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
-- times and lengths of time are written the same way whoever makes the change
set timezone = 'UTC'
set intervalstyle = 'postgres'
as $$
#variable_conflict use_variable
declare
  v_from text;
  v_old  jsonb[];
  v_new  jsonb[];
begin
  -- by name: each event has its own transition tables, and a truncation has none
  if tg_op <> 'INSERT' then
    v_from := case tg_op when 'TRUNCATE' then tg_relid::regclass::text else 'old_rows' end;
    execute format('select array(select to_jsonb(r.*) from %s r)', v_from) into v_old;
  end if;
  if tg_op in ('INSERT', 'UPDATE') then
    v_from := 'new_rows';
    execute format('select array(select to_jsonb(r.*) from %s r)', v_from) into v_new;
  end if;

  insert into public.administration_history (actor_id, channel, reason, about, key, before, after, changed)
  select
    rules.current_actor(),
    tg_argv[0],
    -- why a client was deleted may have to be erased
    case when tg_table_name <> 'deleted_clients' then nullif(current_setting('atlas.act_as_reason', true), '') end,
    tg_table_name,
    coalesce(o.key, n.key),
    rules.administration_row(o.row_),
    rules.administration_row(n.row_),
    array(
      select w.word
      from jsonb_object_keys(o.row_) as w (word)
      where o.row_ -> w.word is distinct from n.row_ -> w.word
        and n.row_ is not null
      order by w.word
    )
  from (select rules.administration_key(tg_table_name, o.row_) as key, o.row_ from unnest(v_old) as o (row_)) as o
  full join (select rules.administration_key(tg_table_name, n.row_) as key, n.row_ from unnest(v_new) as n (row_)) as n
    on n.key = o.key
  where o.row_ - 'last_used_at' is distinct from n.row_ - 'last_used_at'
  order by coalesce(o.key, n.key);
  return null;
end
$$;
