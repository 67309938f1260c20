-- The keys of a grant's scope that do not cover a request; null when the scope covers it.
-- A key that is unknown, or about a fact that the request does not have, covers nothing.
create or replace function rules.scope_mismatches(
  scope        jsonb,
  client_id    bigint,
  from_stage   text,
  to_stage     text,
  flag         text,
  service_tier text
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
            when 'from'          then allowed ? from_stage
            when 'to'            then allowed ? to_stage
            when 'flags'         then allowed ? flag
            when 'clients'       then allowed @> to_jsonb(client_id)
            when 'service_tiers' then allowed ? service_tier
          end is not true
  );
end
$$;
