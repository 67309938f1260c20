-- Split changes of existing clients into items, as if a caller had requested each: the move, each flag, and the fields.
create or replace function rules.items_of(changes rules.change[])
returns rules.item[]
language plpgsql
immutable
as $$
#variable_conflict use_variable
begin
  return array(
    select (
      0, (ch.before).id, part.action, part.word, null, null, (ch.before).version, ch.context, ch.before, ch.after, true, false, null, null
    )::rules.item
    from unnest(changes) as ch (context, before, after)
    cross join lateral (
      select 'move' as action, (ch.after).stage as word, 0 as place
      where (ch.before).stage <> (ch.after).stage
      union all
      select case when f.added is null then 'clear' else 'set' end, coalesce(f.added, f.removed), f.ordinal
      from rules.flag_changes((ch.before).flags, (ch.after).flags, (ch.before).stage <> (ch.after).stage) f
      where (ch.before).flags <> (ch.after).flags
      union all
      select 'update', null, 9223372036854775807
      where (ch.before).fields is distinct from (ch.after).fields
    ) part
    where (ch.before).id is not null
    order by (ch.before).id, part.place
  );
end
$$;
