-- As in clients_stamp_1_statement: first of the recording triggers, by its name.
create trigger clients_record_1_statement
after insert or update on public.clients
for each statement
when (current_user <> 'atlas_owner')
execute function rules.own_context();
