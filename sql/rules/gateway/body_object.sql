-- A request's body as the JSON object it has to be; an empty one is an object without arguments.
create or replace function rules.body_object(body text)
returns jsonb
language plpgsql
immutable
as $$
declare
  v_body jsonb;
begin
  if body is null or body !~ '[^[:space:]]' then
    return jsonb '{}';
  end if;
  begin
    v_body := body::jsonb;
  exception when data_exception or statement_too_complex or program_limit_exceeded then
    perform rules.refuse('body_not_valid');
  end;
  if jsonb_typeof(v_body) <> 'object' then
    perform rules.refuse('body_not_valid');
  end if;
  return v_body;
end
$$;
