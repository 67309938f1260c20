-- Whether a client is in a close: in eom_close or eom_review, or paused in one of them.
create or replace function rules.in_close(
  stage              text,
  returning_to_stage text
)
returns boolean
language sql
immutable
parallel safe
return coalesce(returning_to_stage, stage) in ('eom_close', 'eom_review');
