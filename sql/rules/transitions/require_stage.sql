create or replace function rules.require_stage(stage text)
returns void
language plpgsql
stable
as $$
begin
  perform rules.refuse_if(rules.unknown_stage(stage));
end
$$;
