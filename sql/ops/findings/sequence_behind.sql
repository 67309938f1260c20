-- A sequence that would give a number that its table has already: after a switch-over, or a restore of some data.
create or replace function ops.sequence_behind()
returns setof ops.finding
language plpgsql
stable
as $$
declare
  v_behind record;
begin
  for v_behind in select * from ops.sequences_behind() loop
    return next (
      'sequence_behind', 'error', to_jsonb(v_behind),
      format(
        'sequence %s would give %s next, and %s has %s already: the next new row fails',
        v_behind.sequence, v_behind.next_value, v_behind.relation, v_behind.newest
      ),
      'run: atlas-stage migrate'
    )::ops.finding;
  end loop;
end
$$;
