-- What a run would change, as JSON: how many of each kind, and the first thousand rows of jobs.plan.
create or replace function jobs.dry_run(
  job   text,
  as_of timestamptz
)
returns jsonb
language plpgsql
volatile
as $$
declare
  v_as_of constant timestamptz := coalesce(as_of, now());
  v_rows  jsonb;
  v_all   jsonb;
begin
  select
    coalesce(jsonb_agg(to_jsonb(p)) filter (where p.place <= 1000), '[]'),
    jsonb_build_object('would_change', count(*) filter (where p.refused_by is null), 'would_skip', count(p.refused_by))
  into v_rows, v_all
  from (
    select p.*, row_number() over () as place from jobs.plan(job, v_as_of) p
  ) p;
  return v_all || jsonb_build_object(
    'job', job, 'due_at', jobs.latest_due(job, v_as_of), 'as_of', v_as_of, 'outcome', 'dry_run', 'rows', v_rows
  );
end
$$;
