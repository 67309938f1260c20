-- A page size; refused if it isn't 1 to 1,000.
create or replace function rules.checked_page_size(page_size integer)
returns integer
language plpgsql
immutable
as $$
#variable_conflict use_variable
begin
  if (page_size between 1 and 1000) is not true then
    perform rules.refuse('page_size_not_valid', jsonb_build_object('page_size', page_size));
  end if;
  return page_size;
end
$$;
