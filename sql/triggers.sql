-- All triggers of this package, in the order in which they fire. Triggers of the same timing and event fire in the
-- order of their names, together with the host's. The package's own functions evaluate and record their changes and
-- then write `clients` as atlas_writer, a role that no login can become. The triggers on `clients` below handle every
-- other writer: plain SQL. The host's triggers on `clients` also fire. Within our calls they run with the rights of
-- atlas_writer, otherwise with those of the session. A statement of theirs on `clients` runs at trigger depth 1 or more
-- and counts as plain SQL.

-- Plain SQL can't set the columns that the database maintains. Our functions set the version that they have recorded; a
-- statement that leaves the version unchanged gets the next one here.
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

-- Refuse to delete a client: its history would refer to no client.
create or replace trigger clients_refuse_delete
before delete on public.clients
for each row
when (current_user <> 'atlas_writer')
execute function rules.stamp_plain_sql();

-- Evaluate and record what a statement changed: once per statement, after all its rows.
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

-- At commit, for every writer: the foreign key clients_version_recorded_fkey refuses a version that history doesn't
-- have, so a change that no trigger recorded can't be committed.

-- History, erasures and the record of administration are append-only. grants.sql enables these triggers ALWAYS, so they
-- also fire in replica sessions.
create or replace trigger stage_history_append_only
before update or delete on public.stage_history
for each row
execute function rules.refuse_history_change();

create or replace trigger stage_history_no_truncate
before truncate on public.stage_history
for each statement
execute function rules.refuse_history_change();

create or replace trigger erasures_append_only
before update or delete on public.erasures
for each statement
execute function rules.refuse_record_change();

create or replace trigger erasures_no_truncate
before truncate on public.erasures
for each statement
execute function rules.refuse_record_change();

-- The only update that is allowed: give a hash to a record without one.
create or replace trigger administration_history_unchanged
before update on public.administration_history
for each row
when (
  old.row_hash is not null
  or to_jsonb(old.*) - 'row_hash' is distinct from to_jsonb(new.*) - 'row_hash'
)
execute function rules.refuse_record_change();

create or replace trigger administration_history_append_only
before delete on public.administration_history
for each statement
execute function rules.refuse_record_change();

create or replace trigger administration_history_no_truncate
before truncate on public.administration_history
for each statement
execute function rules.refuse_record_change();

-- Each row contains the hash of the previous row of the same client or key, whichever role writes it. These are enabled
-- ALWAYS, too.
create or replace trigger stage_history_hash_row
before insert on public.stage_history
for each row
execute function rules.hash_history_row();

create or replace trigger administration_history_hash_row
before insert on public.administration_history
for each row
execute function rules.hash_administration_row();

-- At least one unscoped admin must remain.
create or replace trigger agent_permissions_require_an_admin
after update or delete on public.agent_permissions
for each statement
execute function rules.require_an_admin();

-- Refuse invalid settings when they are written.
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

-- Record every change of an administered table, whichever role makes it: once per statement, after all its rows. The
-- statement's role distinguishes an `api` function from plain SQL. These are enabled ALWAYS, too.
do $$
declare
  v_table record;
  v_event record;
  v_key   text;
begin
  for v_table in select t.name, t.key from rules.administered_tables() t loop
    v_key := (select string_agg(quote_literal(k.name), ', ') from unnest(v_table.key) as k (name));
    for v_event in
      values
        ('insert', 'after insert', 'referencing new table as new_rows'),
        ('update', 'after update', 'referencing old table as old_rows new table as new_rows'),
        ('delete', 'after delete', 'referencing old table as old_rows'),
        ('truncate', 'before truncate', '')
    loop
      execute format(
        'create or replace trigger %I %s on public.%I %s for each statement when (current_user <> %L)'
        ' execute function rules.record_administration(%L, %s)',
        v_table.name || '_record_' || v_event.column1, v_event.column2, v_table.name, v_event.column3,
        'atlas_owner', 'psql', v_key
      );
      -- what our functions can do; an erasure of single columns is recorded separately
      continue when not has_table_privilege('atlas_owner', 'public.' || v_table.name, v_event.column1);
      execute format(
        'create or replace trigger %I %s on public.%I %s for each statement when (current_user = %L)'
        ' execute function rules.record_administration(%L, %s)',
        v_table.name || '_record_api_' || v_event.column1, v_event.column2, v_table.name, v_event.column3,
        'atlas_owner', 'api', v_key
      );
    end loop;
  end loop;
end
$$;

-- On a new database, migrations write records before the trigger that hashes them exists. Those records get their
-- hashes here, from the oldest of each key to the newest. Any other record without a hash bypassed the triggers and
-- gets none.
do $$
begin
  loop
    update public.administration_history a
    set row_hash = rules.administration_hash(it.*, coalesce(previous.row_hash, ''))
    from public.administration_history it
    left join public.administration_history previous
      on previous.about = it.about
      and previous.key = it.key
      and previous.version = it.version - 1
    where a.id = it.id
      and a.row_hash is null
      and (a.version = 0 or previous.row_hash is not null)
      and a.channel = 'install';
    exit when not found;
  end loop;
end
$$;

-- Last step: write the static calls of the functions in `api` into rules.call_function.
select rules.write_calls();
