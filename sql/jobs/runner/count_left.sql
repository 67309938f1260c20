-- The counts of a run and, at its end, of the clients that are left: unchanged, skipped by rule, failed, errors, and
-- the clients that its definition lists without changing them. The end of a run finds them with the functions of a
-- plan, so it agrees with the dry run.
create or replace function jobs.count_left(
  run  public.job_runs,
  held bigint[]   -- clients that other sessions held to the end
)
returns jsonb
language plpgsql
volatile
as $$
#variable_conflict use_variable
declare
  v_counts    jsonb := run.counts;
  v_steps     constant jobs.step[] := array(select s from jobs.steps(run.job, run.due_at, run.as_of) s);
  v_skipped   jsonb;
  v_failed    bigint;
  v_uncleared bigint;
  v_errors    jsonb;
  v_about     bigint;   -- clients in the stage or with the flags that the job is about
begin
  with plan as materialized (
    select p.* from jobs.changes_of(run.job, run.due_at, v_steps) p
  )
  select
    (
      select jsonb_object_agg(r.refused_by, r.clients)
      from (select p.refused_by, count(*) as clients from plan p where p.refused_by is not null group by 1) r
    ),
    (select count(*) from plan p where p.refused_by is null),
    (select count(*) from plan p where p.change like '-%'),
    (
      select jsonb_agg(jsonb_build_object('client_id', h.client_id, 'error', 'another session holds it'))
      from (
        select p.client_id from plan p where p.refused_by is null and p.client_id = any (held) order by 1 limit 20
      ) h
    )
  into v_skipped, v_failed, v_uncleared, v_errors;

  select
    (select count(*) from unnest(j.about) as a (word) join public.clients c on c.stage = a.word)
    + (
      select count(*) from unnest(j.about) as a (word) join public.clients c on c.flags @> array[a.word]
      where c.flags <> '{}'
    )
  into v_about
  from jobs.catalog(run.job) j;

  return jsonb_strip_nulls(v_counts || jsonb_build_object(
    'unchanged', greatest(0, v_about - v_uncleared
      - coalesce((v_counts ->> 'moved')::bigint, 0) - coalesce((v_counts ->> 'flagged')::bigint, 0)),
    'skipped', v_skipped,
    'failed', nullif(v_failed, 0),
    'errors', nullif(
      jsonb_path_query_array(coalesce(v_counts -> 'errors', '[]') || coalesce(v_errors, '[]'), '$[0 to 19]'), '[]'
    )
  )) || jobs.names(v_steps);
end
$$;
