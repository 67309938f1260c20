-- The part of a history row's payload that belongs to this system and remains when the row's words
-- are erased: all of it in a job's row; otherwise the period, what was rolled back, and the changed
-- fields without the notes.
create or replace function rules.history_facts(
  channel text,
  payload jsonb
)
returns jsonb
language sql
stable
parallel safe
as $$
  select case
    when channel = 'cron' or payload = '{}' then payload
    when jsonb_typeof(payload) <> 'object' then '{}'
    else
      case when length(payload ->> 'period') = 7 then jsonb_build_object('period', payload -> 'period') else '{}' end
      || case
        when jsonb_typeof(payload -> 'rolls_back') = 'number' then jsonb_build_object('rolls_back', payload -> 'rolls_back')
        else '{}'
      end
      || case
        when jsonb_typeof(payload -> 'changed') = 'object'
          then jsonb_build_object('changed', (payload -> 'changed') - 'stage_notes')
        else '{}'
      end
      || case
        when jsonb_typeof(payload -> 'initial') = 'object'
          then jsonb_build_object('initial', (payload -> 'initial') - 'stage_notes')
        else '{}'
      end
  end
$$;
