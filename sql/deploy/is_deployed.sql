-- Whether the database has exactly this stored logic. $1: its hash; $2: the schemas.
select exists (
  select from public.stage_deploys as d
where d.part = 'stored_logic' and d.name = 'sql' and d.sha256 = $1
)
and not exists (
  select from unnest($2::text[]) as s (name)
where to_regnamespace(s.name) is null
);
