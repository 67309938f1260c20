-- Split changes of existing clients into items, as if a caller had requested each: the move, each flag, and the fields.
create or replace function rules.items_of(changes rules.change[])
returns rules.item[]
language plpgsql
immutable
as $$
#variable_conflict use_variable
begin
  return array(
    select rules.open_item(
      part.action, (ch.before).id, part.word, ch.context, (ch.before).version,
      before => ch.before, after => ch.after, is_locked => true
    )
    from unnest(changes) as ch
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
