-- The arguments in a request's body: the JSON object that it has to be; an empty one has none. It comes as bytes, so
-- that bytes that are no text are refused here, in our words.
create or replace function rules.body_arguments(body bytea)
returns jsonb
language plpgsql
immutable
as $$
#variable_conflict use_variable
declare
  v_text text;
  v_said jsonb := jsonb '{}';
begin
  begin
    v_text := convert_from(body, 'UTF8');
    if v_text ~ '[^[:space:]]' then
      v_said := v_text::jsonb;
    end if;
  exception when data_exception or statement_too_complex or program_limit_exceeded then
    perform rules.refuse('body_not_valid');
  end;
  if jsonb_typeof(v_said) <> 'object' then
    perform rules.refuse('body_not_valid');
  end if;
  return v_said;
end
$$;
