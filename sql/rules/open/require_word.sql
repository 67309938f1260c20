-- Refuse a value that isn't one of the known words. Null passes.
create or replace function rules.require_word(
  field text,
  value text,
  known text[]
)
returns void
language plpgsql
immutable
as $$
#variable_conflict use_variable
begin
  if value <> all (known) then
    perform rules.refuse('unknown_value', jsonb_build_object(
      'field', field, 'given', left(value, 200), 'known', known
    ));
  end if;
end
$$;
