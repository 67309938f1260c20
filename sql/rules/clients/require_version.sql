create function rules.require_version(
  client           public.clients,
  expected_version bigint
)
returns void
language plpgsql
stable
as $$
declare
  v_refusal jsonb := rules.version_conflict(client, expected_version);
begin
  if v_refusal is not null then
    perform rules.refuse_all(jsonb_build_array(v_refusal));
  end if;
end
$$;
