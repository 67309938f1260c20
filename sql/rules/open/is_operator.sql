-- Whether a login may act as other actors: it has a usable membership in atlas_operator. ADMIN OPTION alone isn't
-- enough: since PostgreSQL 16, the creator of a role has it.
create or replace function rules.is_operator(login name)
returns boolean
language sql
stable
return pg_has_role(
  login,
  'atlas_operator',
  case when current_setting('server_version_num')::integer >= 160000 then 'usage, set' else 'member' end
);
