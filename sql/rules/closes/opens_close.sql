-- Whether a move into eom_close begins a close. A client that is sent back from review, resumes
-- from a pause, or is moved by a rollback continues one.
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
