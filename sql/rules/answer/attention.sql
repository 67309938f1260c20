-- What a client needs: waiting_on_client if it is late or over its SLA and carries a flag that explains why; late if
-- its close was due; stuck if it is over its SLA; null: nothing.
create or replace function rules.attention(
  flags         text[],
  is_over_sla   boolean,
  waiting_flags text[],                 -- of its stage
  is_late       boolean default false   -- the order of the queue doesn't depend on it
)
returns text
language sql
immutable
as $$
  select case
    when (is_over_sla or is_late) and flags && waiting_flags then 'waiting_on_client'
    when is_late then 'late'
    when is_over_sla or 'stuck' = any (flags) then 'stuck'
  end
$$;
