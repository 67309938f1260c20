-- A sequence whose next number is already in its table (after a switch-over, or a restore of part of
-- the data), and ids that are too large for a sequence to follow.
create or replace function ops.sequence_behind()
returns setof ops.finding
language plpgsql
stable
as $$
begin
  return query
    select
      'sequence_behind', 'error', to_jsonb(s.*) - 'too_large',
      format(
        'sequence %s would give %s next, and %s has %s already: the next new row fails',
        s.sequence, s.next_value, s.relation, s.newest
      ),
      'run: atlas-stage migrate'
    from ops.sequences_behind() s
    where s.newest >= s.next_value
    union all
    select
      'id_too_large', 'warning', to_jsonb(s.*) - 'newest',
      format(
        '%s has a row with id %s: programs that read JSON may take it for another id;'
        ' new rows are numbered from %s on',
        s.relation, s.too_large, greatest(s.next_value, s.newest + 1)
      ),
      'find out which program chose the id, and let the database number new rows'
    from ops.sequences_behind() s
    where s.too_large is not null;
end
$$;
