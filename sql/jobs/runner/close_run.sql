-- Close a run on the ledger by what it has left: done, where the rules forbid all of it; else failed, so that the
-- next start tries again.
create or replace function jobs.close_run(
  run     public.job_runs,
  steps   jobs.step[] default '{}',  -- what is left
  held    bigint[] default '{}',     -- whom other sessions held to the end
  failure text default null          -- what kept the run as a whole from going on
)
returns void
language plpgsql
volatile
as $$
#variable_conflict use_variable
declare
  v_counts  jsonb  := (select r.counts from public.job_runs r where r.id = run.id);
  v_skipped jsonb  := jsonb_build_object();
  v_failed  bigint := 0;
  v_there   bigint;   -- clients in the stage or with the flags that the job is about
begin
  if failure is null then
    select coalesce(jsonb_object_agg(f.rule, f.clients), '{}'), coalesce(-sum(f.clients), 0)
    into v_skipped, v_failed
    from (
      select (e.violations[1]).rule as rule, count(*) as clients
      from unnest(steps) s
      cross join lateral generate_series(1, cardinality(s.client_ids), 20000) as first
      cross join lateral unnest(rules.evaluate(
        jobs.items_of(run.job, run.due_at, run.id, s, s.client_ids[first:first + 19999])
      )) e
      where s.action <> 'name'
        and e.violations is not null
      group by 1
    ) f;
    v_failed := v_failed + (
      select coalesce(sum(cardinality(s.client_ids)), 0) from unnest(steps) s where s.action <> 'name'
    );

    select
      (select count(*) from unnest(j.about) as a (word) join public.clients c on c.stage = a.word)
      + (
        select count(*)
        from unnest(j.about) as a (word)
        join public.clients c on c.flags @> array[a.word]
        where c.flags <> '{}'
      )
      -- a flag that could not be cleared is there, and not as it should be
      - (select coalesce(sum(cardinality(s.client_ids)), 0) from unnest(steps) s where s.action = 'clear')
    into v_there
    from jobs.catalog(run.job) j;

    v_counts := v_counts || jsonb_build_object(
      'unchanged',
      greatest(0, v_there - coalesce((v_counts ->> 'moved')::bigint, 0) - coalesce((v_counts ->> 'flagged')::bigint, 0))
    );
    v_counts := v_counts || coalesce((
      select jsonb_object_agg(s.word, jsonb_build_object('number', cardinality(s.client_ids), 'clients', (
        select jsonb_agg(jsonb_build_object('id', c.id, 'slug', c.slug) order by c.id)
        from (
          select c.id, c.slug from public.clients c where c.id = any (s.client_ids) order by c.id limit 100
        ) c
      )))
      from unnest(steps) s
      where s.action = 'name'
    ), '{}');
    if v_skipped <> '{}' then
      v_counts := v_counts || jsonb_build_object('skipped', v_skipped);
    end if;
    if held <> '{}' then
      v_counts := v_counts || jsonb_build_object('errors', jsonb_path_query_array(
        coalesce(v_counts -> 'errors', '[]') || (
          select jsonb_agg(jsonb_build_object('client_id', id, 'error', 'another session holds it'))
          from unnest(held[:20]) as id
        ),
        '$[0 to 19]'
      ));
    end if;
    if v_failed > 0 then
      v_counts := v_counts || jsonb_build_object('failed', v_failed);
    end if;
  end if;

  update public.job_runs r
  set
    counts = v_counts,
    finished_at = clock_timestamp(),
    outcome = case when failure is null and v_failed = 0 then 'done' else 'failed' end,
    error = coalesce(failure, case when v_failed > 0 then format(
      '%s %s could not be changed; the others are done, and the next start tries again',
      v_failed, case v_failed when 1 then 'client' else 'clients' end
    ) end)
  where r.id = run.id
    and r.outcome = 'running';
end
$$;
