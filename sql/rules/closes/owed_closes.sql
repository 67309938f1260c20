-- The clients that owe a month's close and are not in it, each with the reason: ready (it can be opened), rolled_back
-- (a person rolled the opening back), left (the close is open, and the client left it), still_closing (another month),
-- paused, or in_<stage>. SQL, so that the planner inlines it.
create or replace function rules.owed_closes(
  period text,
  due_at timestamptz,                -- of the month: rules.due_at
  as_of  timestamptz default now()
)
returns table (
  client_id bigint,
  why       text
)
language sql
stable
as $$
  select
    m.client_id,
    case
      when m.state <> 'not_opened' then 'left'
      when c.close_period is not null then 'still_closing'
      when c.returning_to_stage is not null then 'paused'
      when c.stage <> 'weekly' then 'in_' || c.stage
      when m.rolled_back_by is not null then 'rolled_back'
      else 'ready'
    end
  from rules.month_closes(owed_closes.period, owed_closes.due_at, owed_closes.as_of) m
  join public.clients c on c.id = m.client_id
  where m.owed
    and m.state <> 'closed'
    and c.close_period is distinct from owed_closes.period
$$;
