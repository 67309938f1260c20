-- Make the moves of a batch that may be made, all at once, and say of each item what came of it. The clients are
-- locked, and none is named twice.
create or replace function rules.make_moves(
  actor_id text,
  items    rules.move_item[],
  clients  rules.client_state[]
)
returns table (
  index      bigint,
  outcome    json,
  is_refused boolean
)
language plpgsql
volatile
as $$
#variable_conflict use_variable
declare
  v_items   rules.move_item[];
  v_changes rules.change[];
  v_ids     bigint[];   -- of the clients that were refused, and the error of each
  v_errors  jsonb[];
begin
  -- EVALUATE: an answer given before, then what was asked for, then the rules, about what is left
  select array_agg((
    i.index, i.client_id, i.to_stage, i.expected_version, i.context, i.request,
    case
      when i.outcome is not null then i.outcome
      when used.answer is not null then used.answer
      when v.violations is not null then rules.error_json(v.violations, jsonb_build_object('client_id', i.client_id))
    end
  )::rules.move_item)
  into v_items
  from unnest(items) i
  left join unnest(clients) c on c.id = i.client_id
  cross join lateral rules.earlier_use(i.context, i.request) used
  cross join lateral (
    select case
      when i.outcome is null then coalesce(
        used.violations,
        rules.move_request_violations(i.context, c, i.to_stage, i.expected_version),
        -- to where it is already is no change, which is all that evaluate looks at
        case when c.stage = i.to_stage then rules.move_violations(make_moves.actor_id, rules.facts_of(c), i.to_stage, (i.context).override) end
      )
    end
  ) as v (violations);

  v_changes := array(
    select (i.context, c, rules.moved(c, i.to_stage))::rules.change
    from unnest(v_items) i
    join unnest(clients) c on c.id = i.client_id
    where i.outcome is null
  );
  select array_agg(e.client_id), array_agg(rules.error_json(e.violations, jsonb_build_object('client_id', e.client_id)))
  into v_ids, v_errors
  from rules.evaluate(v_changes) e;

  -- WRITE
  v_changes := array(select ch from unnest(v_changes) ch where (ch.after).id <> all (coalesce(v_ids, '{}')));
  select
    v_ids || array_agg(w.client_id),
    v_errors || array_agg(rules.error_json(w.violations, jsonb_build_object('client_id', w.client_id)))
  into v_ids, v_errors
  from rules.write_apart(v_changes) w;

  -- ANSWER
  return query
    select
      i.index,
      case
        when i.outcome is null and no.error is null
          then rules.remember_answer(i.context, json_build_object(
            'index', i.index, 'status', 200, 'client', shown.client, 'history', row_to_json(h.*),
            'changed', true, 'replayed', false
          ))
        else (jsonb_build_object('index', i.index, 'status', 200) || coalesce(i.outcome, no.error))::json
      end,
      no.error is not null or i.outcome ? 'code'
    from unnest(v_items) i
    left join unnest(v_ids, v_errors) as no (client_id, error) on no.client_id = i.client_id and i.outcome is null
    left join rules.shown_clients(array(select c.id from unnest(clients) c)) shown on shown.id = i.client_id
    left join rules.shown_history h on h.client_id = shown.id and h.version = shown.version;
end
$$;
