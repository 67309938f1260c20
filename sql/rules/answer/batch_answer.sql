-- ANSWER a batch: each item's answer, or the error that it would have had alone.
create or replace function rules.batch_answer(items rules.item[])
returns json
language plpgsql
stable
as $$
#variable_conflict use_variable
begin
  return (
    select json_build_object(
      'items', json_agg(
        case
          when i.violations is null then json_build_object(
            'index', i.place, 'status', 200, 'client', i.answer -> 'client', 'history', i.answer -> 'history',
            'changed', i.answer -> 'changed', 'replayed', i.answer -> 'replayed'
          )
          else (jsonb_build_object('index', i.place) || rules.error_json(
            i.violations, jsonb_strip_nulls(jsonb_build_object('client_id', i.client_id))
          ))::json
        end
        order by i.place
      ),
      'done', count(*) filter (where i.violations is null),
      'refused', count(*) filter (where i.violations is not null),
      -- null: nothing was changed, so there is nothing to undo
      'batch', (array_agg((i.context).batch) filter (where i.answer ->> 'changed' = 'true'))[1]
    )
    from unnest(items) i
  );
end
$$;
