-- The code's own schemas hold functions, types and nothing that must be kept. They are made once: what the host was
-- given on them stays, and so does what a live connection knows of them.
create schema if not exists rules authorization atlas_owner;
create schema if not exists api authorization atlas_owner;
create schema if not exists jobs authorization atlas_owner;
create schema if not exists ops authorization atlas_owner;

comment on schema rules is 'The rules: who may do what, what may follow what, what is recorded.';
-- PostgREST makes the title of its OpenAPI document of the first line, and the description of the rest.
comment on schema api is
'Atlas client stage
The API functions: what PostgREST exposes and psql users call. Arguments are named, answers are JSON; what is refused
says by which rule in `details`. Send `Authorization: Bearer` with a token.';
comment on schema jobs is 'The scheduled work.';
comment on schema ops is 'What is wrong with this installation, as one list of findings.';

-- Nobody may execute anything until grants.sql says so.
alter default privileges for role atlas_owner revoke execute on functions from public;
alter default privileges for role atlas_writer revoke execute on functions from public;

-- From here to the end of grants.sql, everything belongs to the owner of the stored logic.
set local role atlas_owner;
grant usage, create on schema rules to atlas_writer;  -- to create: until grants.sql
