-- Raise a refusal, if there is one.
create or replace function rules.refuse_if(
  refusal jsonb,               -- null: there is none
  facts   jsonb default '{}'
)
returns void
language plpgsql
volatile
as $$
begin
  if refusal is not null then
    perform rules.refuse_all(jsonb_build_array(refusal), facts);
  end if;
end
$$;
