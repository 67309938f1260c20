-- Make the moves of one batch that may be made, in one statement; answers each move's outcome.
-- The clients are locked, each at most once in the batch.
create or replace function rules.move_together(
  actor_id text,
  moves    jsonb[]   -- from rules.move_request
)
returns table (
  index      bigint,
  outcome    json,
  is_refused boolean
)
language plpgsql
volatile
as $$
declare
  v_judged jsonb;
begin
  -- GUARD: each move's answer if it was made before, or the error that forbids it
  select jsonb_agg(
    move || case
      when earlier.use ? 'answer' then earlier.use
      when refused.refusals is not null then jsonb_build_object('error', rules.error_json(
        refused.refusals, jsonb_build_object('client_id', move -> 'client_id')
      ))
      else '{}'
    end
    order by (move ->> 'index')::bigint
  )
  into v_judged
  from unnest(moves) as move
  left join public.clients c on c.id = (move ->> 'client_id')::bigint
  cross join lateral rules.earlier_use(move ->> 'key', move -> 'request') as earlier (use)
  cross join lateral (
    select case
      when move ? 'error' or earlier.use ? 'answer' then null
      when earlier.use ? 'refusal' then jsonb_build_array(earlier.use -> 'refusal')
      else rules.move_refusals(
        actor_id, c, (move ->> 'client_id')::bigint, move ->> 'to_stage', (move ->> 'expected_version')::bigint,
        (move ->> 'override')::boolean
      )
    end as refusals
  ) as refused;

  -- ACT: the triggers judge and record
  perform rules.begin_change('moves', jsonb_build_object(
    'actor_id', actor_id,
    'items', (
      select jsonb_object_agg(move ->> 'client_id', move -> 'change')
      from jsonb_array_elements(v_judged) as move
      where not move ?| array['answer', 'error']
    )
  ));
  update public.clients c
  set stage = move ->> 'to_stage'
  from jsonb_array_elements(v_judged) as move
  where c.id = (move ->> 'client_id')::bigint
    and not move ?| array['answer', 'error'];

  return query
  select
    (move ->> 'index')::bigint,
    case
      when move ? 'error' or move ? 'answer' or move ->> 'key' is not null
        then (
          jsonb_build_object('index', move -> 'index', 'status', 200)
          || coalesce(
            move -> 'error',
            move -> 'answer',
            rules.remember_answer(
              move ->> 'key', move -> 'request',
              jsonb_build_object('client', shown.client, 'history', row_to_json(h.*), 'changed', true, 'replayed', false)
            )
          )
        )::json
      -- without a key, what most have, the answer is only written
      else json_build_object(
        'index', move -> 'index', 'status', 200,
        'client', shown.client, 'history', row_to_json(h.*), 'changed', true, 'replayed', false
      )
    end,
    move ? 'error'
  from jsonb_array_elements(v_judged) as move
  left join rules.shown_clients(
    array(select (move ->> 'client_id')::bigint from jsonb_array_elements(v_judged) as move)
  ) as shown on shown.id = (move ->> 'client_id')::bigint
  left join rules.shown_history h on h.client_id = shown.id and h.version = shown.version;
end
$$;
