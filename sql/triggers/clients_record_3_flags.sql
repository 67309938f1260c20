create trigger clients_record_3_flags
after update on public.clients
referencing old table as old_clients new table as new_clients
for each statement
execute function rules.record_flags();
