-- ANSWER the rollback of many history rows: how many were rolled back, and the others, each with its error.
create or replace function rules.reversal_answer(
  context     rules.change_context,
  whole       jsonb,      -- what is rolled back, for the payload of the new rows
  history_ids bigint[]
)
returns jsonb
language plpgsql
volatile
as $$
#variable_conflict use_variable
declare
  v_left jsonb;
begin
  context.external_id := null;
  context.payload := whole;
  v_left := (
    select coalesce(jsonb_agg(
      rules.left_json(array[r.violation], jsonb_build_object('client_id', r.client_id, 'history_id', r.history_id))
      order by r.client_id, r.history_id
    ), '[]')
    from rules.reverse(context, history_ids) r
  );
  return jsonb_build_object('rolled_back', cardinality(history_ids) - jsonb_array_length(v_left), 'left', v_left);
end
$$;
