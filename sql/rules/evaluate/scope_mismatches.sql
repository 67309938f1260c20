-- The keys of a grant's scope that do not cover a request; null if the scope covers it. A key that is unknown, or about
-- a fact that the request does not have, covers nothing.
create or replace function rules.scope_mismatches(
  grant_id bigint,
  scope    jsonb,
  client   rules.facts,
  to_stage text,
  flag     text,
  person   text default null   -- of can_act_for: the actor that the caller acts for
)
returns text[]
language plpgsql
immutable
as $$
#variable_conflict use_variable
begin
  return (
    select array_agg(key order by key)
    from jsonb_each(scope) as restriction (key, allowed)
    where case key
            when 'from'          then allowed ? client.stage
            when 'to'            then allowed ? to_stage
            when 'flags'         then allowed ? flag
            when 'clients'       then grant_id = any (client.listed_in)
            when 'service_tiers' then allowed ? client.service_tier
            when 'actors'        then allowed ? person
          end is not true
  );
end
$$;
