-- The client that goes by this name, an id or else a slug; null where none does. What reads as a number is an id, and
-- never a slug.
create or replace function rules.client_named(client text)
returns bigint
language plpgsql
stable
as $$
#variable_conflict use_variable
begin
  return coalesce(rules.whole_number(client), (select c.id from public.clients c where c.slug = client));
end
$$;
