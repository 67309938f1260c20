-- Whether a move into eom_close begins a close: not one that was sent back from its review, comes back from a pause, or
-- is there again because something was taken back.
create or replace function rules.opens_close(
  from_stage        text,
  from_returning_to text,
  trigger_type      text
)
returns boolean
language sql
immutable
return from_stage is distinct from 'eom_review'
  and from_returning_to is distinct from 'eom_close'
  and trigger_type <> 'rollback';
