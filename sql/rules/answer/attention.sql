-- What a client needs: null, 'stuck', or 'waiting_on_client' if it is over its SLA and carries a
-- flag that explains why.
create or replace function rules.attention(
  flags         text[],
  is_over_sla   boolean,
  waiting_flags text[]    -- of its stage
)
returns text
language sql
immutable
as $$
  select case
    when is_over_sla
      then case when flags && waiting_flags then 'waiting_on_client' else 'stuck' end
    when 'stuck' = any (flags)
      then 'stuck'
  end
$$;
