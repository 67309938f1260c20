-- The filter with the ids of the clients that can match it, if a search or the wanted attention
-- leaves only a few.
create or replace function rules.narrowed_filter(filter rules.client_filter)
returns rules.client_filter
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_search record;
begin
  if filter.search is not null then
    select q.words, q.common_words, q.ids into v_search from rules.search_query(filter.search) q;
    filter.common_words := v_search.common_words;
    filter.words := case when v_search.ids is null then v_search.words end;
    filter.ids := case
      when filter.ids is not null and v_search.ids is not null
        then array(select unnest(filter.ids) intersect select unnest(v_search.ids))
      else coalesce(filter.ids, v_search.ids)
    end;
  end if;
  if filter.ids is null and (filter.stuck or (filter.active and filter.attention <> 'none')) then
    filter.ids := rules.attention_candidates(case when filter.stuck then 'flagged' else filter.attention end);
  end if;
  return filter;
end
$$;
