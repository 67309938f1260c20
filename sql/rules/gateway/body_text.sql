-- A request's body as text. It comes as bytes, so that bytes that are no text are refused here, in our words.
create or replace function rules.body_text(body bytea)
returns text
language plpgsql
immutable
as $$
begin
  return convert_from(body, 'UTF8');
exception when data_exception then
  perform rules.refuse('body_not_valid');
end
$$;
