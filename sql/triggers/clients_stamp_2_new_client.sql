create trigger clients_stamp_2_new_client
before insert on public.clients
for each row
execute function rules.stamp_new_client();
