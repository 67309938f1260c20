-- A history row after the erasure of its words: their hash remains.
create or replace function rules.without_words(row_ public.stage_history)
returns public.stage_history
language plpgsql
stable
as $$
#variable_conflict use_variable
begin
  row_.words_hash := rules.words_hash(
    row_.words_salt, row_.reason, row_.on_behalf_of, row_.triggered_by, row_.payload
  );
  row_.words_salt := null;
  row_.reason := null;
  row_.on_behalf_of := null;
  row_.triggered_by := null;
  row_.payload := rules.history_facts(row_.channel, row_.payload);
  return row_;
end
$$;
