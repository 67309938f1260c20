-- Changes that were recorded more than five minutes ago and aren't in the feed yet, with the open transactions that
-- hold it back: of any database of the server.
create or replace function ops.feed_waits()
returns setof ops.finding
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_since constant timestamptz := rules.feed_behind();
begin
  return query
    select
      'feed_waits', 'error',
      jsonb_build_object('behind_since', v_since, 'transactions', coalesce(jsonb_agg(to_jsonb(o.*) - 'todo'), '[]')),
      format(
        'the feed of changes has had no new rows since %s: it waits for %s',
        to_char(rules.firm_time(v_since), 'YYYY-MM-DD HH24:MI'),
        coalesce(string_agg(format(
          '%s of database %s, login %s%s%s',
          coalesce('process ' || o.pid, 'prepared transaction ' || o.gid), o.database, o.login,
          coalesce(', program ' || nullif(o.program, ''), ''),
          coalesce(', since ' || to_char(rules.firm_time(o.begun_at), 'YYYY-MM-DD HH24:MI'), '')
        ), '; '), 'a transaction of the primary server')
      ),
      coalesce('if it isn''t needed: ' || string_agg(o.todo, ' '), 'run doctor on the primary server')
    from ops.oldest_transactions() o
    where v_since < now() - interval '5 minutes'
    having v_since < now() - interval '5 minutes';
end
$$;
