-- depends: 016_trial

-- One-time links by which a person gets their first token.
create table public.actor_invites (
  invite_hash text collate "C" constraint actor_invites_pkey primary key,
  actor_id    text        not null,
  token_days  integer     not null,
  created_at  timestamptz not null default now(),
  created_by  text        not null,
  expires_at  timestamptz not null,
  used_at     timestamptz,
  constraint actor_invites_invite_hash_check check (invite_hash ~ '^[0-9a-f]{64}$'),
  constraint actor_invites_actor_id_check check (actor_id ~ '^(user|agent|system):[^[:space:][:cntrl:]]+$'),
  constraint actor_invites_token_days_check check (token_days between 1 and 3650)
);
comment on table public.actor_invites is
  'Invites by their SHA-256. Each can be exchanged once for a token, before it expires.';
comment on column public.actor_invites.token_days is 'How long the token is valid, in days.';
comment on column public.actor_invites.used_at is 'When it was exchanged; null: not yet.';

grant select, insert, update on public.actor_invites to atlas_owner;

-- A new slug that differs from another only in form finds that client.
-- squawk-ignore require-concurrent-index-creation
create index clients_slug_form_idx on public.clients (normalize(lower(normalize(slug, nfd))));

-- The search ignores accents, apostrophes and punctuation: the expression of rules.search_text.
drop index public.clients_search_idx;
-- squawk-ignore require-concurrent-index-creation
create index clients_search_idx on public.clients using gin (to_tsvector(
  'simple',
  regexp_replace(
    regexp_replace(
      replace(replace(replace(
        translate(lower(normalize(name || ' ' || slug, nfkd)), 'łŁøØđĐħĦıŧŦðÐ', 'llooddhhittdd'),
        'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'
      ),
      E'[\\u0300-\\u036f\\u2018\\u2019\\u02bc\\u00b4''`]', '', 'g'
    ),
    '[-!-/:-@[-_{-~]+', ' ', 'g'
  )
));

-- Admins change these through functions.
grant update on public.stage_settings, public.stages to atlas_owner;
grant insert, update, delete on public.business_holidays to atlas_owner;

insert into public.atlas_migrations (id, note)
values ('017_people', 'client stage: invites; one form of slugs; a search that ignores accents');
