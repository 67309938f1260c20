create trigger stage_history_append_only
before update or delete on public.stage_history
for each row
execute function rules.refuse_history_change();
