-- The schemas of the stored logic hold functions and types, and no data. They are created once and never dropped, so
-- the host's rights on them and the cached plans of live connections stay valid.
create schema if not exists rules authorization atlas_owner;
create schema if not exists api authorization atlas_owner;
create schema if not exists jobs authorization atlas_owner;
create schema if not exists ops authorization atlas_owner;

comment on schema rules is 'The rules: permissions, transitions, and the record of every change.';
-- The first line is the title of the OpenAPI document, and the rest is its description.
comment on schema api is
'Atlas client stage
The API functions: PostgREST exposes them, psql users call them. Arguments are named and answers are JSON. An error has
its rule code in `details`. Send `Authorization: Bearer` with a token.';
comment on schema jobs is 'The scheduled jobs.';
comment on schema ops is 'Findings: everything that is wrong with this installation, as one list.';

-- No role can execute a function until grants.sql grants it.
alter default privileges for role atlas_owner revoke execute on functions from public;
alter default privileges for role atlas_writer revoke execute on functions from public;

-- From here to the end of grants.sql, atlas_owner creates and owns every object.
set local role atlas_owner;
grant usage, create on schema rules to atlas_writer;  -- create: grants.sql revokes it
