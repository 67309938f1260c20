create trigger stage_history_no_truncate
before truncate on public.stage_history
for each statement
execute function rules.refuse_history_change();
