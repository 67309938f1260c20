-- The code's own schemas hold nothing that must be kept: each deploy makes them new, in one transaction.
drop schema if exists jobs, api, rules cascade;

create schema rules authorization atlas_owner;
create schema api authorization atlas_owner;
create schema jobs authorization atlas_owner;

comment on schema rules is 'The rules: who may do what, what may follow what, what is recorded.';
-- PostgREST makes the title of its OpenAPI document of the first line, and the description of the rest.
comment on schema api is
'Atlas client stage
The doors: what PostgREST exposes and psql users call. Arguments are named, answers are JSON; what is refused says by
which rule in `details`. Send `Authorization: Bearer` with a token.';
comment on schema jobs is 'The scheduled work.';

-- Nobody may execute anything until grants.sql says so.
alter default privileges for role atlas_owner revoke execute on functions from public;

-- From here to the end of grants.sql, everything belongs to the owner of the stored logic.
set local role atlas_owner;
