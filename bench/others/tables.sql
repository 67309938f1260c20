-- What the services of this folder stand on: tables of their own, with the columns, CHECKs, indexes and foreign keys of
-- ours and without triggers, for a login that may do no more than such a service needs.
create schema plain;
create table plain.stages (like public.stages including all);
create table plain.stage_transitions (like public.stage_transitions including all);
create table plain.clients (like public.clients including all);
create table plain.stage_history (like public.stage_history including all);
create table plain.agent_permissions (like public.agent_permissions including all);
create table plain.actor_tokens (like public.actor_tokens including all);
alter table plain.stage_transitions add foreign key (from_stage) references plain.stages (stage);
alter table plain.stage_transitions add foreign key (to_stage) references plain.stages (stage);
alter table plain.stage_history add foreign key (client_id) references plain.clients (id);

insert into plain.stages select * from public.stages;
insert into plain.stage_transitions select * from public.stage_transitions;
insert into plain.agent_permissions select * from public.agent_permissions;
insert into plain.actor_tokens select * from public.actor_tokens;

create role plain_service login;
alter role plain_service set search_path = plain;
grant usage on schema plain to plain_service;
grant select on all tables in schema plain to plain_service;
grant update on plain.clients to plain_service;
grant insert on plain.stage_history to plain_service;
grant usage on sequence public.stage_history_id_seq to plain_service;
