-- The arguments in a request's body: the JSON object that it has to be; an empty one has none.
create or replace function rules.body_arguments(body text)
returns jsonb
language plpgsql
immutable
as $$
declare
  v_said jsonb := '{}';
begin
  if body ~ '[^[:space:]]' then
    begin
      v_said := body::jsonb;
    exception when data_exception or statement_too_complex or program_limit_exceeded then
      perform rules.refuse('body_not_valid');
    end;
    if jsonb_typeof(v_said) <> 'object' then
      perform rules.refuse('body_not_valid');
    end if;
  end if;
  return v_said;
end
$$;
