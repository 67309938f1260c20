-- What a client over its SLA asks for: null, 'stuck', or 'waiting_on_client' where it carries a waiting flag.
create or replace function rules.attention(
  flags            text[],
  stage_entered_at timestamptz,
  max_days         integer,
  waiting_flags    text[]
)
returns text
language sql
stable
as $$
  select case
    when stage_entered_at < now() - max_days * interval '24 hours'
      then case when flags && waiting_flags then 'waiting_on_client' else 'stuck' end
    when 'stuck' = any (flags)
      then 'stuck'
  end
$$;
