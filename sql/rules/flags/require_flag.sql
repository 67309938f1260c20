create or replace function rules.require_flag(flag text)
returns void
language plpgsql
stable
as $$
begin
  perform rules.refuse_if(rules.unknown_flag(flag));
end
$$;
