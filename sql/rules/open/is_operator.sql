-- Whether a login may act as somebody else: by a membership that it can use. That it could grant itself one is not
-- enough; from PostgreSQL 16 on, whoever made a role is a member of that kind.
create or replace function rules.is_operator(login name)
returns boolean
language sql
stable
return pg_has_role(
  login,
  'atlas_operator',
  case when current_setting('server_version_num')::integer >= 160000 then 'usage, set' else 'member' end
);
