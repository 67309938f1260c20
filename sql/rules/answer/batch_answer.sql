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
          when i.violations is null and ((i.context).external_id is null or i.answer ->> 'index' is not null) then i.answer
          -- of an earlier call
          when i.violations is null then (jsonb_build_object('index', i.place, 'status', 200) || i.answer::jsonb)::json
          else (jsonb_build_object('index', i.place) || rules.error_json(
            i.violations, jsonb_strip_nulls(jsonb_build_object('client_id', i.client_id))
          ))::json
        end
        order by i.place
      ),
      'done', count(*) filter (where i.violations is null),
      'refused', count(*) filter (where i.violations is not null),
      -- null: nothing was changed, so there is nothing to undo
      'batch', (array_agg((i.context).batch) filter (where i.violations is null and (i.after).id is not null))[1]
    )
    from unnest(items) i
  );
end
$$;
