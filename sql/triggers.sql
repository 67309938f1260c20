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

-- What is only added to: history, erasures and the record of administration. Enabled ALWAYS in
-- grants.sql, so that these triggers also fire in replica sessions.
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

-- Row by row: only a record without a hash may get one.
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

-- Each row contains the hash of the row before it of the same client or key, no matter who writes
-- it. ALWAYS, too.
create or replace trigger stage_history_hash_row
before insert on public.stage_history
for each row
execute function rules.hash_history_row();

create or replace trigger administration_history_hash_row
before insert on public.administration_history
for each row
execute function rules.hash_administration_row();

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

-- Every change of an administered table is recorded, no matter who makes it: once per statement,
-- after all its rows. The role of a statement tells an api function from plain SQL. ALWAYS, too.
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
      continue when (v_event.column1, v_table.name) not in (
        ('insert', 'agent_permissions'), ('insert', 'actor_tokens'),
        ('insert', 'erasures'), ('insert', 'deleted_clients'),
        ('update', 'agent_permissions'), ('update', 'actor_tokens')
      );
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

-- On a new database the migrations write records before the trigger that hashes exists. They get
-- their hashes here, from the first of each key to the newest. Any other record without a hash was
-- written around the triggers, and gets none.
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

-- Everything is in place: write the calls of the functions of api.
select rules.write_calls();
