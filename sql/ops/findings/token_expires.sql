-- A token that expires within two weeks.
create or replace function ops.token_expires()
returns setof ops.finding
language plpgsql
stable
as $$
begin
  return query
    select
      'token_expires', 'warning',
      jsonb_build_object('token_id', left(t.token_hash, 12), 'actor_id', t.actor_id, 'expires_at', t.expires_at),
      format(
        'token %s of %s expires on %s',
        left(t.token_hash, 12), t.actor_id, to_char(rules.firm_time(t.expires_at), 'YYYY-MM-DD')
      ),
      'issue another: atlas-stage token issue ACTOR --days 365'
    from public.actor_tokens t
    where t.revoked_at is null
      and t.expires_at between now() and now() + interval '14 days'
    order by t.expires_at;
end
$$;
