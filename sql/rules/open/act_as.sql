create or replace function rules.act_as(
  actor_id text,
  reason   text default null
)
returns text
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
begin
  -- GUARD
  -- Only operators have EXECUTE. A login that gets here another way is refused with a message.
  if not rules.is_operator(session_user) then
    perform rules.refuse('operator_only');
  end if;
  perform rules.require_actor_id(actor_id);

  -- ACT
  perform set_config('atlas.act_as', actor_id, true);
  perform set_config('atlas.act_as_reason', coalesce(rules.checked_text('reason', reason, 2000, lines => true), ''), true);
  return actor_id;
end
$$;

comment on function rules.act_as(text, text) is
'Act as another actor for the rest of this transaction.
Only members of atlas_operator can. The reason is recorded with plain UPDATEs of this transaction.
Errors: operator_only (403), actor_id_not_valid, text_too_long, text_not_clean (422).';
