create function rules.require_stage(stage text)
returns void
language plpgsql
stable
as $$
declare
  v_refusal jsonb := rules.unknown_stage(stage);
begin
  if v_refusal is not null then
    perform rules.refuse_all(jsonb_build_array(v_refusal));
  end if;
end
$$;
