-- depends: 018_acting_for

-- Hand-overs until a day. What a cover still has to give back follows from history (rules.covered).
create table public.covers (
  id             bigserial   constraint covers_pkey primary key,
  batch          uuid        not null constraint covers_batch_uniq unique,
  from_actor_id  text        not null,
  to_actor_id    text        not null,
  until          date        not null,
  made_by        text        not null,
  made_at        timestamptz not null default now(),
  ended_by       text,
  ended_at       timestamptz,
  -- programs that read JSON numbers as doubles, JavaScript among them, are exact up to 2^53
  constraint covers_id_check check (id <= 9007199254740992),
  constraint covers_from_check check (from_actor_id ~ '^(user|agent|system):[^[:space:][:cntrl:]]+$'),
  constraint covers_to_check check (to_actor_id ~ '^(user|agent|system):[^[:space:][:cntrl:]]+$'),
  constraint covers_ended_check check ((ended_by is null) = (ended_at is null))
);
create index covers_until_idx on public.covers (until) where ended_at is null;
comment on table public.covers is
  'Who covers for whom until a day: one row per hand-over with a day.';
comment on column public.covers.batch is 'The history rows of the hand-over.';
comment on column public.covers.until is 'The day, in the firm''s time zone, on which the clients are given back.';
comment on column public.covers.ended_at is
  'When an actor ended it early; null: it ends on its day.';

grant select, insert, update, trigger on public.covers to atlas_owner;
grant usage on sequence public.covers_id_seq to atlas_owner;

-- Admins change the transitions through a function.
grant insert, update, delete on public.stage_transitions to atlas_owner;

insert into public.atlas_migrations (id, note)
values ('019_covers', 'client stage: clients are handed over until a day');
