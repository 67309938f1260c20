-- Every trigger of ours, in the order in which they fire; those of one moment fire in the order of their names, the
-- host's among them. The stored logic's own statements need none of these: a function of ours evaluates and records in
-- the open, and writes `clients` as atlas_writer, which nobody can become. What is below catches everybody else.
--
-- The host's own triggers on clients fire too: with the rights of atlas_writer inside our calls, with the session's own
-- otherwise. A statement that such a trigger makes on clients is at depth 1 or more, and plain SQL like any other.

-- Plain SQL may not set what the database keeps. Ours say the version that they have recorded; who says none is
-- stamped.
create or replace trigger clients_stamp_change
before update on public.clients
for each row
when (current_user <> 'atlas_writer' or new.version = old.version)
execute function rules.stamp_plain_sql();

create or replace trigger clients_stamp_new_client
before insert on public.clients
for each row
when (current_user <> 'atlas_writer')
execute function rules.stamp_plain_sql();

-- A client is not deleted: history would lose it.
create or replace trigger clients_refuse_delete
before delete on public.clients
for each row
when (current_user <> 'atlas_writer')
execute function rules.stamp_plain_sql();

-- Once a statement, after all its rows: evaluate what it changed, and record it.
create or replace trigger clients_record_plain_changes
after update on public.clients
referencing old table as old_clients new table as new_clients
for each statement
when (current_user <> 'atlas_writer' or pg_trigger_depth() > 0)
execute function rules.record_plain_sql();

create or replace trigger clients_record_plain_clients
after insert on public.clients
referencing new table as new_clients
for each statement
when (current_user <> 'atlas_writer')
execute function rules.record_plain_sql();

-- At commit, for everybody: the foreign key clients_version_recorded_fkey. A version that history does not have is
-- refused, whatever was forgotten above.

-- History is for good. Enabled ALWAYS in grants.sql, so that they stand in replica sessions too.
create or replace trigger stage_history_append_only
before update or delete on public.stage_history
for each row
execute function rules.refuse_history_change();

create or replace trigger stage_history_no_truncate
before truncate on public.stage_history
for each statement
execute function rules.refuse_history_change();

-- Each row is hashed together with the one before, whoever writes it. ALWAYS, like the guards.
create or replace trigger stage_history_hash_row
before insert on public.stage_history
for each row
execute function rules.hash_history_row();

-- Erasures are for good too.
create or replace trigger erasures_append_only
before update or delete on public.erasures
for each statement
execute function rules.refuse_record_change();

create or replace trigger erasures_no_truncate
before truncate on public.erasures
for each statement
execute function rules.refuse_record_change();

-- Once a statement that records: who waits for changes is woken at the commit.
create or replace trigger stage_history_wake_readers
after insert on public.stage_history
for each statement
execute function rules.wake_readers();

-- Somebody always remains who may grant.
create or replace trigger agent_permissions_require_an_admin
after update or delete on public.agent_permissions
for each statement
execute function rules.require_an_admin();

-- Settings that make no sense are refused when they are written.
create or replace trigger stage_settings_check
before insert or update or delete on public.stage_settings
for each row
execute function rules.check_setting();
create or replace trigger stages_check_waiting_flags
before insert or update on public.stages
for each row
execute function rules.check_setting();
create or replace trigger stage_flags_check_waited_for
before update or delete on public.stage_flags
for each row
execute function rules.check_setting();
create or replace trigger stage_seasons_check_flag
before insert or update on public.stage_seasons
for each row
execute function rules.check_setting();

-- Every change of what decides the rules, or says what was taken out of history, is on record, whoever makes it and
-- however: once a statement, after all its rows. A statement of an api function is told by the role that it runs as.
-- Enabled ALWAYS in grants.sql.
do $$
declare
  v_table text;
  v_event record;
begin
  for v_table in select t.name from jsonb_array_elements_text(rules.administered_tables()) as t (name) loop
    for v_event in
      values
        ('insert', 'after insert', 'referencing new table as new_rows'),
        ('update', 'after update', 'referencing old table as old_rows new table as new_rows'),
        ('delete', 'after delete', 'referencing old table as old_rows'),
        ('truncate', 'before truncate', '')
    loop
      execute format(
        'create or replace trigger %I %s on public.%I %s for each statement when (current_user <> %L)'
        ' execute function rules.record_administration(%L)',
        v_table || '_record_' || v_event.column1, v_event.column2, v_table, v_event.column3, 'atlas_owner', 'psql'
      );
      continue when (v_event.column1, v_table) not in (
        ('insert', 'agent_permissions'), ('insert', 'actor_tokens'), ('insert', 'erasures'), ('insert', 'deleted_clients'),
        ('update', 'agent_permissions'), ('update', 'actor_tokens')
      );
      execute format(
        'create or replace trigger %I %s on public.%I %s for each statement when (current_user = %L)'
        ' execute function rules.record_administration(%L)',
        v_table || '_record_api_' || v_event.column1, v_event.column2, v_table, v_event.column3, 'atlas_owner', 'api'
      );
    end loop;
  end loop;
end
$$;

-- Only added to. What is let through is the giving of its place and hash to a record that has none yet.
create or replace trigger administration_history_append_only
before delete on public.administration_history
for each statement
execute function rules.refuse_record_change();

create or replace trigger administration_history_unchanged
before update on public.administration_history
for each row
when (
  old.row_hash is not null
  or to_jsonb(old.*) - '{place,row_hash}'::text[] is distinct from to_jsonb(new.*) - '{place,row_hash}'::text[]
)
execute function rules.refuse_record_change();

create or replace trigger administration_history_no_truncate
before truncate on public.administration_history
for each statement
execute function rules.refuse_record_change();

-- What was recorded before there was a chain becomes its beginning; what a migration recorded while there was no stored
-- logic, follows.
select rules.chain_record(earlier.*)
from (
  select a.*
  from public.administration_history as a
  where a.place is null
    and (a.channel = 'install' or not exists (select from public.administration_chain))
  order by a.id
) as earlier;

-- Each record gets its place and hash at the commit. There is no "create or replace" for such a trigger, and dropping
-- it would wait for whoever reads the record: it is switched off and on, which shows that it is one of this deploy's.
-- ALWAYS, like the guards.
do $$
begin
  if exists (
    select from pg_catalog.pg_trigger as t
    where t.tgname = 'administration_history_chain'
      and t.tgrelid = 'public.administration_history'::regclass
  ) then
    reset role;  -- the table is the deployer's
    alter table public.administration_history disable trigger administration_history_chain;
    alter table public.administration_history enable trigger administration_history_chain;
    set local role atlas_owner;
  else
    create constraint trigger administration_history_chain
    after insert on public.administration_history
    deferrable initially deferred
    for each row
    execute function rules.chain_administration();
  end if;
end
$$;

-- Everything is in place: write the calls of the functions of api.
select rules.write_calls();
