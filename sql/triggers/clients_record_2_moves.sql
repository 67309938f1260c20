create trigger clients_record_2_moves
after update on public.clients
referencing old table as old_clients new table as new_clients
for each statement
execute function rules.record_moves();
