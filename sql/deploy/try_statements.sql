-- One statement of each kind that a deploy runs, by the same roles, in a transaction that is rolled back: so an event
-- trigger of the host that would stop a deploy stops this first.
do $$
begin
  if to_regrole('atlas_owner') is null then
    create role atlas_owner nologin noinherit;
  end if;
  if current_setting('server_version_num')::integer >= 160000 then
    execute format('grant atlas_owner to %I with inherit true, set true', current_user);
  else
    execute format('grant atlas_owner to %I', current_user);
  end if;
end
$$;
create schema atlas_stage_tried;
grant usage, create on schema atlas_stage_tried to atlas_owner;
create table atlas_stage_tried.tried (id bigserial primary key, word text);
alter table atlas_stage_tried.tried add column more text, add constraint tried_word_check check (word <> '');
create index tried_word_idx on atlas_stage_tried.tried (word);
comment on table atlas_stage_tried.tried is 'Tried.';
create policy tried on atlas_stage_tried.tried using (true);
grant select, trigger on atlas_stage_tried.tried to atlas_owner;
set local role atlas_owner;
alter default privileges revoke execute on functions from public;
create type atlas_stage_tried.kind as (word text);
create domain atlas_stage_tried.word as text;
create function atlas_stage_tried.stamp() returns trigger language plpgsql as 'begin return new; end';
alter function atlas_stage_tried.stamp() set search_path = pg_catalog, pg_temp;
comment on function atlas_stage_tried.stamp() is 'Tried.';
revoke all on function atlas_stage_tried.stamp() from public;
create view atlas_stage_tried.shown as select 1 as id;
reset role;
create trigger stamp before insert on atlas_stage_tried.tried
for each row execute function atlas_stage_tried.stamp();
alter table atlas_stage_tried.tried enable always trigger stamp;
drop policy tried on atlas_stage_tried.tried;
drop index atlas_stage_tried.tried_word_idx;
set local role atlas_owner;
drop view atlas_stage_tried.shown;
