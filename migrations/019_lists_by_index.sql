-- depends: 018_runs_taken_back

-- Who is longest in a stage, also among the many that one statement moved into it: those have the same age.
-- squawk-ignore require-concurrent-index-deletion
drop index public.clients_stage_entered_at_idx;
create index clients_stage_age_idx on public.clients (stage, stage_entered_at, id) where active;
-- The same of one owner, and of who carries a flag.
create index clients_owner_age_idx on public.clients (stage_owner, stage, stage_entered_at, id)
  where active and stage_owner is not null;
create index clients_flagged_age_idx on public.clients (stage, stage_entered_at, id) where active and flags <> '{}';

-- Who carries a flag, in order of id: the key's order finds a common flag as soon, the GIN index a rare one.
-- squawk-ignore require-concurrent-index-deletion
drop index public.clients_flagged_idx;

-- Few clients are of nobody or no longer active, so the rest costs these nothing.
create index clients_unowned_idx on public.clients (id) where stage_owner is null;
create index clients_inactive_idx on public.clients (id) where not active;

-- Whose close of a month was opened; an opening from before openings named their month has none.
create index stage_history_opening_idx
  on public.stage_history ((coalesce(payload ->> 'period', '')), occurred_at, client_id)
  where to_stage = 'eom_close'
    and from_stage is distinct from 'eom_review'
    and from_returning_to is distinct from 'eom_close'
    and trigger_type <> 'rollback';

insert into public.atlas_migrations (id, note)
values ('019_lists_by_index', 'client stage: lists, queues and closes cost what a page costs');
