create or replace function api.tokens(
  actor_id  text default null,
  after     text default null,
  page_size integer default 100
)
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_tokens jsonb;
begin
  -- GUARD
  perform rules.require_permission(rules.current_actor(), 'can_admin');
  page_size := rules.checked_page_size(page_size);
  perform rules.require_short('actor_id', actor_id);
  perform rules.require_short('after', after);

  -- ACT
  select coalesce(jsonb_agg(rules.token_json(t.*) order by left(t.token_hash, 12)), '[]')
  into v_tokens
  from (
    select t.*
    from public.actor_tokens t
    where (tokens.actor_id is null or t.actor_id = tokens.actor_id)
      and (after is null or left(t.token_hash, 12) > after)
    order by left(t.token_hash, 12)
    limit page_size + 1
  ) t;

  return jsonb_build_object(
    'tokens', v_tokens - page_size,
    'next_after', case when jsonb_array_length(v_tokens) > page_size then v_tokens -> (page_size - 1) -> 'id' end
  );
end
$$;

comment on function api.tokens(text, text, integer) is
'List the tokens by their ids, also the expired and the revoked ones.
Only admins can read. actor_id: of one actor only; at most 200 characters. after: the last id of the page before. page_size: 1 to 1,000.
Returns {tokens, next_after}: id, actor_id, description, created_at, created_by, expires_at, revoked_at, last_used_at and state (active, expired or revoked).
next_after is null on the last page.
Errors: permission_missing (403); text_too_long, page_size_not_valid (422).';
