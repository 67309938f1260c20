-- Refuse an atomic batch if one of its items was refused: with that item's error, and all refused items in the details.
create or replace function rules.refuse_batch(items rules.item[])
returns void
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_refused constant jsonb := (
    select jsonb_agg(r.item) from json_array_elements(rules.batch_answer(items) -> 'items') as r (item)
    where r.item -> 'code' is not null
  );
begin
  if v_refused is not null then
    perform rules.refuse_all(
      (select i.violations from unnest(items) i where i.violations is not null order by i.place limit 1),
      jsonb_build_object('items', v_refused)
    );
  end if;
end
$$;
