-- Refuse a function that tried to write in a transaction that only reads: of a GET, or on a standby.
create or replace function rules.refuse_to_write(body bytea)
returns void
language plpgsql
stable
as $$
#variable_conflict use_variable
begin
  if body is null then
    perform rules.refuse_method('{POST}');
  end if;
  perform rules.refuse('service_away');
end
$$;
