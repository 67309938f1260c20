-- What a history row is for the people who follow the firm: a move is sign_off_wanted (it hands the close to its
-- reviewers), sent_back, signed_off or else moved; others are stuck, flagged, unflagged or changed. A resume and a
-- rollback hand nothing over. SQL, so that the planner inlines it.
create or replace function rules.kind_of(
  from_stage        text,
  to_stage          text,
  from_returning_to text,
  is_rollback       boolean default false,
  flag_added        text default null,
  flag_removed      text default null
)
returns text
language sql
immutable
parallel safe
return case
  when to_stage is not null and is_rollback then 'moved'
  when to_stage = 'eom_close' and from_stage = 'eom_review' then 'sent_back'
  when to_stage = 'weekly' and from_stage = 'eom_review' then 'signed_off'
  when to_stage = 'eom_review' and from_returning_to is distinct from 'eom_review' then 'sign_off_wanted'
  when to_stage is not null then 'moved'
  when flag_added = 'stuck' then 'stuck'
  when flag_added is not null then 'flagged'
  when flag_removed is not null then 'unflagged'
  else 'changed'
end;
