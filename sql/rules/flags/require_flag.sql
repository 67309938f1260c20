create function rules.require_flag(flag text)
returns void
language plpgsql
stable
as $$
declare
  v_refusal jsonb := rules.unknown_flag(flag);
begin
  if v_refusal is not null then
    perform rules.refuse_all(jsonb_build_array(v_refusal));
  end if;
end
$$;
