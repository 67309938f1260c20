revoke trigger on
  public.actor_tokens,
  public.actor_logins,
  public.stage_transitions,
  public.business_holidays
from atlas_owner;
drop table public.administration_history;

delete from public.atlas_migrations
where id = '021_administration_on_record';
