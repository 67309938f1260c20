create trigger clients_stamp_2_client
before update on public.clients
for each row
execute function rules.stamp_client();
