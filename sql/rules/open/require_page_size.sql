-- Refuse a page size other than 1 to 1,000.
create or replace function rules.require_page_size(page_size integer)
returns void
language plpgsql
immutable
as $$
#variable_conflict use_variable
begin
  if (page_size between 1 and 1000) is not true then
    perform rules.refuse('page_size_not_valid', jsonb_build_object('page_size', page_size));
  end if;
end
$$;
