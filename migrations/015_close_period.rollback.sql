-- Closes are read from history again, by the payloads that it kept. The types go with the stored logic.
alter table public.stage_settings drop column close_due_day, drop column undo_minutes;

update public.job_runs
set outcome = 'failed', error = coalesce(error, 'rolled back')
where outcome = 'rolled_back';
alter table public.job_runs
  drop constraint job_runs_outcome_check,
  add constraint job_runs_outcome_check check (outcome in ('running', 'done', 'failed', 'skipped'));

drop index public.stage_history_job_period_idx, public.stage_history_added_idx;
do $$
begin
  create unique index stage_history_job_period_uniq on public.stage_history (actor_id, (payload ->> 'period'), client_id)
    where channel = 'cron' and payload ? 'period';
exception when unique_violation then
  -- a run was rolled back as a whole, and its period was done again
  create index stage_history_job_period_uniq on public.stage_history (actor_id, (payload ->> 'period'), client_id)
    where channel = 'cron' and payload ? 'period';
end
$$;

-- The hash of a row with a period or a batch verifies only with them. The next migrate hashes it again, and the rows
-- after it.
update public.stage_history as h
set row_hash = null
from (
  select f.client_id, min(f.version) as version
  from public.stage_history as f
  where f.close_period is not null or f.batch is not null
  group by f.client_id
) as changed
where h.client_id = changed.client_id
  and h.version >= changed.version;

alter table public.stage_history drop column batch;
alter table public.stage_history drop column close_period;
alter table public.clients drop column close_period;

create index stage_history_close_idx on public.stage_history (client_id, version)
  where to_stage = 'eom_close';
create index stage_history_close_month_idx on public.stage_history (client_id, (payload ->> 'period'))
  where to_stage = 'eom_close';
create index stage_history_opening_idx
  on public.stage_history ((coalesce(payload ->> 'period', '')), occurred_at, client_id)
  where to_stage = 'eom_close'
    and from_stage is distinct from 'eom_review'
    and from_returning_to is distinct from 'eom_close'
    and trigger_type <> 'rollback';

delete from public.atlas_migrations
where id = '015_close_period';
