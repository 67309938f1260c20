-- Erases what the ledger of jobs keeps about one client: its slug where a run lists it, and the host's messages about
-- it. A run that failed as a whole keeps the host's message, which may quote any client, so every such message since
-- the client was added is erased. Returns how many runs changed.
create or replace function rules.erase_from_runs(
  client_id bigint,
  since     timestamptz  -- when the client was added
)
returns bigint
language plpgsql
volatile
set jit = off
as $$
#variable_conflict use_variable
declare
  v_client constant jsonb := to_jsonb(client_id);
  v_runs   bigint;
begin
  update public.job_runs r
  set counts = bare.counts, error = bare.error
  from (
    select
      old.id,
      (
        select coalesce(jsonb_object_agg(c.key, case
          when c.key = 'errors' then (
            -- "rule: the host's message"
            select jsonb_agg(
              case when e.item -> 'client_id' = v_client
                then e.item || jsonb_build_object('error', split_part(e.item ->> 'error', ':', 1))
                else e.item
              end
              order by e.place
            )
            from jsonb_array_elements(c.value) with ordinality as e (item, place)
          )
          when c.value ? 'clients' then c.value || jsonb_build_object('clients', (
            select jsonb_agg(
              case when e.item -> 'id' = v_client then e.item || '{"slug": null}' else e.item end
              order by e.place
            )
            from jsonb_array_elements(c.value -> 'clients') with ordinality as e (item, place)
          ))
          else c.value
        end), '{}')
        from jsonb_each(old.counts) as c
      ) as counts,
      -- with counts.failed the message is ours
      case
        when old.outcome = 'failed' and not old.counts ? 'failed' and old.finished_at >= since then 'erased'
        else old.error
      end as error
    from public.job_runs old
  ) as bare
  where bare.id = r.id
    and (bare.counts, bare.error) is distinct from (r.counts, r.error);
  get diagnostics v_runs = row_count;
  return v_runs;
end
$$;
