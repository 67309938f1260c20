create trigger clients_record_2_new_clients
after insert on public.clients
referencing new table as new_clients
for each statement
execute function rules.record_new_clients();
