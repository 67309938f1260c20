-- The id of the client that a text identifies: ASCII digits are an id, everything else is a slug.
-- The pattern decides before any cast: PostgreSQL 16 and later read 24_7 as 247. An id is returned
-- without looking for its client.
create or replace function rules.client_id_of(client text)
returns bigint
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_ids bigint[];
begin
  if client ~ '^[0-9]{1,18}$' then
    return client::bigint;
  end if;
  v_ids := array(select c.id from public.clients c where c.slug = client and client !~ '^[0-9]*$' order by c.id limit 2);
  if v_ids = '{}' then
    perform rules.refuse('client_not_found', jsonb_build_object('client_id', left(client, 200)));
  elsif cardinality(v_ids) > 1 then
    perform rules.refuse('slug_ambiguous', jsonb_build_object('slug', client, 'client_ids', v_ids));
  end if;
  return v_ids[1];
end
$$;
