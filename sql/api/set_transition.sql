create or replace function api.set_transition(
  from_stage text,
  to_stage   text,
  permission text default null,
  note       text default null
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_known constant text[] := rules.known_words('stage_transitions_permission_check');
  v_note  text;
  v_why   text;
begin
  -- GUARD
  perform rules.require_permission(rules.current_actor(), 'can_admin');
  perform rules.refuse_all(rules.unknown_stage(from_stage));
  perform rules.refuse_all(rules.unknown_stage(to_stage));
  v_note := rules.checked_text('note', note, 200);
  if permission <> all (v_known) then
    perform rules.refuse('unknown_permission', jsonb_build_object('permission', left(permission, 200), 'known', v_known));
  end if;

  -- LOCK: one change of the transitions at a time, because a rule looks at several
  perform from public.stages s order by s.stage for no key update;

  -- EVALUATE
  v_why := rules.transition_violation(from_stage, to_stage, permission);
  if v_why is not null then
    perform rules.refuse('transition_kept', jsonb_build_object('from_stage', from_stage, 'to_stage', to_stage, 'why', v_why));
  end if;

  -- WRITE
  if permission is null then
    delete from public.stage_transitions t where t.from_stage = from_stage and t.to_stage = to_stage;
  else
    insert into public.stage_transitions as t (from_stage, to_stage, permission, note)
    values (from_stage, to_stage, permission, v_note)
    on conflict on constraint stage_transitions_pkey do update
    set permission = excluded.permission, note = coalesce(excluded.note, t.note);
  end if;
  return jsonb_build_object('transitions', api.settings() -> 'transitions');
end
$$;

comment on function api.set_transition(text, text, text, text) is
'Allow a move from one stage to another, change what it needs, or remove it.
from_stage, to_stage: the stages. permission: can_set_stage, can_sign_off_eom_review or can_offboard; without it, the move is removed.
note: what the move means, at most 200 characters; if omitted, it stays. Needs can_admin.
A stage keeps a way forward; pauses, the beginning and the end of a close, and the move into offboarding keep their rules.
Returns {transitions}, as the function settings does.
Errors: permission_missing (403); unknown_stage, unknown_permission, transition_kept, text_too_long, text_not_clean (422);
client_locked, retry (503).';
