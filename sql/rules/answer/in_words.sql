-- A fact of a violation as the board writes it: stages and flags by their labels ("EOM close"), permissions as what
-- they allow, lists with commas and "or".
create or replace function rules.in_words(fact jsonb)
returns text
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_word text := fact #>> '{}';
begin
  if jsonb_typeof(fact) = 'array' then
    return (
      select concat_ws(' or ', string_agg(w.word, ', ' order by w.nth) filter (where w.nth < w.number), max(w.word) filter (where w.nth = w.number))
      from (
        select rules.in_words(e.element) as word, e.nth, count(*) over () as number
        from jsonb_array_elements(fact) with ordinality as e (element, nth)
      ) as w
    );
  elsif jsonb_typeof(fact) = 'object' then
    return (select string_agg(rules.in_words(e.value), '; ' order by e.key) from jsonb_each(fact) as e);
  elsif exists (select from public.stages s where s.stage = v_word union all select from public.stage_flags f where f.flag = v_word) then
    v_word := regexp_replace(replace(v_word, '_', ' '), '^eom ', 'EOM ');
    return upper(left(v_word, 1)) || substr(v_word, 2);
  end if;
  return case v_word
    when 'can_read_clients' then 'see clients'
    when 'can_set_stage' then 'move and change clients'
    when 'can_set_flag' then 'set flags'
    when 'can_sign_off_eom_review' then 'sign off reviews'
    when 'can_offboard' then 'offboard clients'
    when 'can_act_for' then 'act for others'
    when 'can_admin' then 'administer the firm'
    else v_word
  end;
end
$$;
