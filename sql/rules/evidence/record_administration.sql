-- AFTER INSERT, UPDATE or DELETE STATEMENT, and BEFORE TRUNCATE, on each administered table: record
-- the changed rows and the actor. Trigger arguments: the channel, then the columns of the table's key.
create or replace function rules.record_administration()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
-- times and intervals are rendered the same way no matter who makes the change
set timezone = 'UTC'
set intervalstyle = 'postgres'
as $$
#variable_conflict use_variable
declare
  v_from text;
  v_old  jsonb[];
  v_new  jsonb[];
begin
  if rules.is_replicated() then
    return null;   -- the publisher's records come, too
  end if;
  if rules.has_old_snapshot() then
    perform rules.refuse('retry');
  end if;

  -- dynamic: each event has different transition tables, and a truncation has none
  if tg_op <> 'INSERT' then
    v_from := case tg_op when 'TRUNCATE' then tg_relid::regclass::text else 'old_rows' end;
    execute format('select array(select to_jsonb(r.*) from %s r)', v_from) into v_old;
  end if;
  if tg_op in ('INSERT', 'UPDATE') then
    v_from := 'new_rows';
    execute format('select array(select to_jsonb(r.*) from %s r)', v_from) into v_new;
  end if;

  insert into public.administration_history (
    actor_id, channel, reason, about, key, before, after, changed, version
  )
  with rows as (
    select
      side.is_new, side.row_, kept.row_ as kept,
      (
        select jsonb_object_agg(k.name, kept.row_ -> k.name)
        from unnest(tg_argv[1:]) as k (name)
      ) as key
    from (
      select false as is_new, o.row_ from unnest(v_old) as o (row_)
      union all
      select true, n.row_ from unnest(v_new) as n (row_)
    ) as side
    cross join lateral rules.administration_row(side.row_) as kept (row_)
  )
  select
    rules.current_actor(),
    tg_argv[0],
    -- the reason for deleting a client may have to be erased later
    case when tg_table_name <> 'deleted_clients' then nullif(current_setting('atlas.act_as_reason', true), '') end,
    tg_table_name,
    coalesce(o.key, n.key),
    o.kept,
    n.kept,
    array(
      select w.word
      from jsonb_object_keys(o.row_) as w (word)
      where o.row_ -> w.word is distinct from n.row_ -> w.word
        and n.row_ is not null
      order by w.word
    ),
    -- the hash trigger sets the number; if that trigger is disabled, the number could belong to another record
    null
  from (select r.* from rows r where not r.is_new) as o
  full join (select r.* from rows r where r.is_new) as n on n.key = o.key
  where o.row_ - 'last_used_at' is distinct from n.row_ - 'last_used_at'
  order by coalesce(o.key, n.key);
  return null;
end
$$;
