-- Set the context of the change that a function of `api` or `jobs` is about to make: who, why, through
-- which channel. The triggers on `clients` read it, and believe it only of the stored logic's owner.
create or replace function rules.begin_change(
  kind   text,   -- move (of one client), moves, flags, fields, or any: which recording trigger has work
  change jsonb   -- from rules.change_request
)
returns boolean  -- true, so that it can be assigned: that is cheaper than perform
language sql
volatile
as $$
  select set_config('atlas.change', change::text, true) is not null
    and set_config('atlas.change_kind', kind, true) is not null
    and set_config('atlas.restoring', case when change ? 'rolls_back' then 'on' else 'off' end, true) is not null
$$;
