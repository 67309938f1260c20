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
          -- in front of the item's own answer, as text: taking that apart took an eighth of a batch's time
          when i.violations is null then format('{"index" : %s, "status" : 200, %s', i.place, substr(i.answer::text, 2))::json
          else (jsonb_build_object('index', i.place) || rules.error_json(
            i.violations, jsonb_strip_nulls(jsonb_build_object('client_id', i.client_id))
          ))::json
        end
        order by i.place
      ),
      'done', count(*) filter (where i.violations is null),
      'refused', count(*) filter (where i.violations is not null),
      -- null: nothing was changed, so there is nothing to undo
      'batch', (
        select (f.context).batch
        from unnest(items) f
        where f.violations is null
          and f.answer ->> 'changed' = 'true'
        limit 1
      )
    )
    from unnest(items) i
  );
end
$$;
