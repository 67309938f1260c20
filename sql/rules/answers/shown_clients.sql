-- A client as every answer shows it: all its columns, age_days and attention.
create or replace view rules.shown_clients as
select
  c.*,  -- noqa: AM04
  rules.age_days(c.stage_entered_at) as age_days,
  rules.attention(c.flags, c.stage_entered_at, s.max_days, s.waiting_flags) as attention
from public.clients as c
inner join public.stage_sla as s on c.stage = s.stage;
