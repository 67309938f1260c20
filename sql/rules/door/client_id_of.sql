-- The id of a client that is given by id or by slug, or client_not_found. Only ASCII digits are an id; whether there is
-- such a client, the caller finds out. Decided by a pattern and not by a cast: what a cast reads as a number differs by
-- version.
create or replace function rules.client_id_of(
  client   text,
  required boolean default true
)
returns bigint
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_id bigint;
begin
  if client ~ '^[0-9]+$' then
    -- a longer one is no id that a client can have
    v_id := case when length(ltrim(client, '0')) < 19 then client::bigint end;
  else
    v_id := (select c.id from public.clients c where c.slug = client);
  end if;
  if v_id is null and required then
    perform rules.refuse('client_not_found', jsonb_build_object('client_id', left(client, 200)));
  end if;
  return v_id;
end
$$;
