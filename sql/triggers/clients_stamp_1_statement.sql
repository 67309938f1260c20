-- The role that executes a statement tells whether a function of `api` or `jobs` made it, which set the change's
-- context, or a session did with plain SQL. No session can forge that.
create trigger clients_stamp_1_statement
before update on public.clients
for each row
when (current_user <> 'atlas_owner')
execute function rules.restore_nothing();
