-- OPEN: one requested change of one client. Every item is made here. SQL, so that it is inlined.
create or replace function rules.open_item(
  action           text,                  -- move, set, clear or update
  client_id        bigint,
  word             text,                  -- the stage or the flag
  context          rules.change_context,
  expected_version bigint default null,   -- a move needs one
  fields           rules.client_fields default null,
  clear            text[] default null,
  close_period     text default null,     -- of a move into a close; null: the default
  place            bigint default 0,
  before           rules.client_state default null,   -- this and the next: of a client that is locked already
  after            rules.client_state default null,
  is_locked        boolean default false
)
returns rules.item
language sql
immutable
as $$
  select row(
    place, client_id, action, word, fields, clear, expected_version, context, before, after, is_locked, false, null, null,
    close_period
  )::rules.item
$$;
