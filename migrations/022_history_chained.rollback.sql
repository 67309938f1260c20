drop table public.erasures;
drop index public.stage_history_unhashed_idx;
revoke update (row_hash, words_salt, words_hash, reason, on_behalf_of, triggered_by, payload)
on public.stage_history
from atlas_owner;
alter table public.stage_history
  drop column words_salt,
  drop column words_hash,
  drop column row_hash;

delete from public.atlas_migrations
where id = '022_history_chained';
