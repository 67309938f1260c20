-- An administered row that differs from its newest record: a change bypassed the triggers.
create or replace function ops.administration_mismatch()
returns setof ops.finding
language plpgsql
stable
as $$
begin
  return query
    select
      'administration_mismatch',
      'error',
      jsonb_build_object('about', m.about, 'key', m.key),
      format(
        'the row %s of %s %s', m.key, m.about,
        case m.problem
          when 'row_gone' then 'is gone, and the record does not say who removed it'
          when 'row_added' then 'is there, and the record does not say who added it'
          else 'is not what the record of its last change says'
        end
      ),
      'find out who changed it around the triggers; write it again with plain SQL, which is recorded'
    from rules.administration_mismatches() m;
end
$$;
