-- The sentence that tells a person what is wrong: the catalog's text with the facts filled in.
create or replace function rules.violation_text(
  template text,
  facts    jsonb
)
returns text
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_name text;
begin
  if facts -> 'triggers' = '[]' then
    template := replace(template, ' ({triggers})', '');  -- something else of the host's did it
  end if;
  for v_name in select distinct found.name[1] from regexp_matches(template, '[{]([a-z_]+)[}]', 'g') as found (name) loop
    template := replace(template, '{' || v_name || '}', coalesce(
      case
        when v_name = 'client' and jsonb_typeof(facts -> 'client_id') = 'number'
          then (select c.name from public.clients c where c.id = (facts ->> 'client_id')::numeric)
        when v_name = 'you_need' and facts ->> 'actor_id' <> rules.current_actor() then facts ->> 'actor_id' || ' needs'
        when v_name = 'you_need' then 'You need'
        when v_name = 'argument' then facts ->> 'argument'
        when v_name <> 'client' then rules.in_words(facts -> v_name)
      end,
      case v_name when 'client' then 'this client' else '…' end
    ));
  end loop;
  -- an actor id is written as it is
  return case when template ~ '^(user|agent|system):' then template else upper(left(template, 1)) || substr(template, 2) end;
end
$$;
