-- What a run counts its changes as, by the action of a step. A table function, so that the planner inlines it.
create or replace function jobs.counters()
returns table (
  action  text,
  counter text
)
language sql
immutable
as $$
  values ('move', 'moved'), ('set', 'flagged'), ('clear', 'cleared'), ('give_back', 'given_back')
$$;
