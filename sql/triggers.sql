-- As in clients_stamp_1_statement: first of the recording triggers, by its name.
create or replace trigger clients_record_1_statement
after insert or update on public.clients
for each statement
when (current_user <> 'atlas_owner')
execute function rules.own_context();
create or replace trigger clients_record_2_move
after update on public.clients
referencing old table as old_clients new table as new_clients
for each statement
execute function rules.record_move();
create or replace trigger clients_record_2_moves
after update on public.clients
referencing old table as old_clients new table as new_clients
for each statement
execute function rules.record_moves();
create or replace trigger clients_record_2_new_clients
after insert on public.clients
referencing new table as new_clients
for each statement
execute function rules.record_new_clients();
create or replace trigger clients_record_3_flags
after update on public.clients
referencing old table as old_clients new table as new_clients
for each statement
execute function rules.record_flags();
create or replace trigger clients_record_4_fields
after update on public.clients
referencing old table as old_clients new table as new_clients
for each statement
execute function rules.record_fields();
-- The role that executes a statement tells whether a function of `api` or `jobs` made it, which set the change's
-- context, or a session did with plain SQL. No session can forge that.
create or replace trigger clients_stamp_1_statement
before update on public.clients
for each row
when (current_user <> 'atlas_owner')
execute function rules.restore_nothing();
create or replace trigger clients_stamp_2_client
before update on public.clients
for each row
execute function rules.stamp_client();
create or replace trigger clients_stamp_2_new_client
before insert on public.clients
for each row
execute function rules.stamp_new_client();
create or replace trigger stage_history_append_only
before update or delete on public.stage_history
for each row
execute function rules.refuse_history_change();
create or replace trigger stage_history_no_truncate
before truncate on public.stage_history
for each statement
execute function rules.refuse_history_change();
