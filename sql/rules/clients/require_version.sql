create or replace function rules.require_version(
  client           public.clients,
  expected_version bigint
)
returns void
language plpgsql
stable
as $$
begin
  perform rules.refuse_if(rules.version_conflict(client, expected_version));
end
$$;
