-- The kinds of change that an actor's grants allow to some client: edit, flag, move or undo. Which client, stage or
-- flag a grant covers is decided when the actor makes the change.
create or replace function rules.allowed_changes(actor_id text)
returns text[]
language plpgsql
stable
as $$
#variable_conflict use_variable
begin
  return (
    with allowed as (
      select needed.change
      from (
        select 'move' as change, t.permission from public.stage_transitions t
        union
        select 'edit', f.permission from rules.field_catalog() f
        union
        values ('flag', 'can_set_flag')
      ) as needed
      join rules.live_grants(actor_id) g on g.permission in (needed.permission, 'can_admin', 'can_act_for')
    )
    select coalesce(array_agg(distinct a.change order by a.change), '{}')
    from (
      select w.change from allowed w
      union
      select 'undo' from allowed w where rules.undo_until(now()) is not null
    ) as a
  );
end
$$;
