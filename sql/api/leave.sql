create or replace function api.leave(
  actor_id    text,
  reason      text,
  to_actor_id text default null
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_handed_over jsonb;
  v_grants      integer;
  v_tokens      integer;
  v_cover       bigint;
begin
  -- GUARD
  perform rules.require_permission(rules.current_actor(), 'can_admin');
  perform rules.require_actor_id(actor_id);

  -- ACT: a cover for the leaving actor would give clients back to it later
  for v_cover in select c.id from public.covers c where c.from_actor_id = actor_id and c.ended_at is null order by c.id loop
    if to_actor_id is not null then
      perform api.set_cover(v_cover, reason => reason);
    end if;
    update public.covers c
    set ended_at = now(), ended_by = rules.current_actor()
    where c.id = v_cover and c.ended_at is null;
  end loop;
  if to_actor_id is not null then
    v_handed_over := api.hand_over(actor_id, to_actor_id, reason);
  end if;
  perform rules.lock_admins();
  update public.agent_permissions g
  set revoked_at = now()
  where g.actor_id = leave.actor_id and g.revoked_at is null;
  get diagnostics v_grants = row_count;
  update public.actor_tokens t
  set revoked_at = now()
  where t.actor_id = leave.actor_id and t.revoked_at is null;
  get diagnostics v_tokens = row_count;
  update public.actor_invites i
  set expires_at = now()
  where i.actor_id = leave.actor_id and i.used_at is null and i.expires_at > now();
  return jsonb_build_object(
    'actor_id', actor_id, 'handed_over', v_handed_over, 'permissions', v_grants, 'tokens', v_tokens
  );
end
$$;

comment on function api.leave(text, text, text) is
'End an actor''s access: revoke all grants, tokens and open invites, and hand over the clients first.
actor_id: who leaves. reason: why, at most 2,000 characters. to_actor_id: who takes over what the actor owns, collaborates on and reviews,
also what another actor covers; if omitted, the clients stay as they are, and covers for the actor end. Needs can_admin.
Returns {actor_id, handed_over, permissions, tokens}: what hand_over returned (null: nothing was handed over), and how many grants and
tokens were revoked.
Errors: permission_missing (403); last_admin, idempotency_key_reused, answer_erased (409); actor_id_not_valid, actor_id_not_normal, same_actor, reason_required, text_too_long,
text_not_clean (422); key_in_use, client_locked, retry (503).';
