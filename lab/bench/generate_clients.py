"""Fill a migrated database with clients and their history, as many as it takes to find out what becomes slow.

    python lab/bench/generate_clients.py --database postgresql://… --clients 1000000 --rows 30

Four in five are in weekly, the rest is spread over the other stages; tiers, cadences, schedules and some flags as a
firm would have them. An owner has 60 clients, however large the firm; but one in 500 clients is the team's. Each has so
many rows of history: who is in the monthly round went round it, a month for three rows; with the others a flag came and
went. Hashes are the product's own. Its other triggers rest meanwhile, which takes a superuser: this is for benches, not
for a firm's database.
"""

import argparse
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
from rich.progress import track
from rows import console

# Clients of one transaction: so that what is interrupted is not all to be done again, and both cores have work.
_SLICE = 20_000

# Shares of a hundred. Ages are days in the stage; within the SLA, so that the detector has nothing to do.
_CLIENTS = """
insert into public.clients (
  id, name, slug, stage, stage_entered_at, stage_owner, service_tier, close_cadence, sales_tax_schedule,
  flags, returning_to_stage, close_period, version
)
select
  n,
  'Client ' || n,
  'bench-' || n,
  s.stage,
  entered.at,
  case when n %% 500 = 7 then 'user:team' else 'user:bookkeeper-' || n %% (1 + %(owners)s) end,
  (array['recurring_only', 'recurring_plus_advisory', 'full_service'])[1 + n %% 3],
  case when n %% 20 = 0 then 'quarterly' when n %% 50 = 1 then 'annual' else 'monthly' end,
  (array['none', 'none', 'monthly', 'quarterly', 'annual'])[1 + n %% 5],
  case when n %% 25 = 3 then '{client_blocking}'::text[] when n %% 40 = 7 then '{advisory_due}' else '{}' end,
  case when s.stage like 'paused%%' then 'weekly' end,
  case
    when s.stage in ('eom_close', 'eom_review') then to_char(
      entered.at at time zone 'UTC'
      - make_interval(months => 1, days => case s.stage when 'eom_review' then 8 else 0 end),
      'YYYY-MM'
    )
  end,
  %(rows)s - 1
from generate_series(%(first)s::bigint, %(last)s) n
cross join lateral (
  select
    case
      when n %% 100 < 80 then 'weekly'
      else (array[
        'onboarding', 'cleanup', 'eom_close', 'eom_review', 'paused_client', 'paused_internal', 'offboarding'
      ])[1 + n %% 7]
    end as stage
) as chosen
cross join lateral (
  select chosen.stage, coalesce((select max_days from public.stages where stage = chosen.stage), 60) as days
) as s
cross join lateral (select now() - make_interval(hours => (24 * (1 + n %% s.days))::integer - 12) as at) as entered
"""

# Ordered by client and version, because each row's hash covers the row before it. `back` is how many rows ago.
_HISTORY = """
insert into public.stage_history (
  client_id, version, from_stage, to_stage, from_entered_at, flag_added, flag_removed, occurred_at, recorded_at,
  actor_type, actor_id, channel, trigger_type, reason, payload, close_period
)
select
  c.id,
  version,
  case when version > 0 and c.place is not null then c.round[1 + (c.place - back + 29999) %% 3] end,
  case when version = 0 and c.place is null then c.stage else step.to_stage end,
  case when version > 0 and c.place is not null then step.before end,
  case when c.place is null and version %% 2 = 1 then 'season_1099' end,
  case when c.place is null and version %% 2 = 0 and version > 0 then 'season_1099' end,
  step.at,
  step.at,
  case when step.by = 'agent:tally' then 'agent' when step.by like 'user:%%' then 'human' else 'system' end,
  step.by,
  case when step.by like 'system:cron:%%' then 'cron' else 'api' end,
  case when step.by = 'agent:tally' then 'agent_action' when step.by like 'user:%%' then 'manual' else 'auto_time' end,
  case when version = 0 then 'generated' end,
  case
    when step.by like 'system:cron:%%' then jsonb_build_object('period', step.period, 'run_id', step.run_id)
    else '{}'
  end,
  -- the month of the opening: this row's, or that of one or two rows ago
  case
    when c.place is not null and (version > 0 or step.to_stage <> 'weekly') then to_char(
      c.stage_entered_at at time zone 'UTC' - make_interval(
        months => 1 + (back + step.since_opening) / 3, days => 8 * ((back + step.since_opening) %% 3)
      ),
      'YYYY-MM'
    )
  end
from (
  select
    c.id, c.stage, c.stage_entered_at, c.stage_owner, cycle.round, array_position(cycle.round, c.stage) - 1 as place
  from public.clients c
  cross join (select array['weekly', 'eom_close', 'eom_review'] as round) as cycle
  where c.id between %(first)s and %(last)s
) as c
cross join generate_series(0, %(rows)s - 1) as version
cross join lateral (select %(rows)s - 1 - version as back) as ago
cross join lateral (
  select
    arrived.at,
    arrived.before,
    to_char(arrived.at at time zone 'UTC' - interval '1 month', 'YYYY-MM') as period,
    (extract(year from arrived.at) * 12 + extract(month from arrived.at))::bigint as run_id,
    reached.to_stage,
    case reached.to_stage when 'eom_close' then 0 when 'eom_review' then 1 else 2 end as since_opening,
    case
      when version = 0 then 'system:install'
      when reached.to_stage = 'eom_close' then 'system:cron:stage_autoroll_eom_open'
      when reached.to_stage = 'eom_review' then 'agent:tally'
      else c.stage_owner
    end as by
  from (select c.round[1 + (c.place - back + 30000) %% 3] as to_stage) as reached
  cross join lateral (
    select
      c.stage_entered_at - make_interval(months => back / 3, days => 8 * (back %% 3)) as at,
      c.stage_entered_at - make_interval(months => (back + 1) / 3, days => 8 * ((back + 1) %% 3)) as before
  ) as arrived
) as step
order by c.id, version
"""


def generate(dsn: str, clients: int, rows: int = 1) -> None:
    """Add the clients, each with so many rows of history, then let the server look at its tables."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        row = connection.execute("select coalesce(max(id), 0) from public.clients").fetchone()
        assert row is not None
        begin, end = row[0] + 1, row[0] + clients
        with ThreadPoolExecutor(os.cpu_count()) as sessions:
            done = sessions.map(lambda part: _fill(dsn, clients, rows, *part), _slices(begin, end))
            total = -(-clients // _SLICE)
            for _ in track(done, f"{clients:,} clients", total, console=console, transient=True):
                pass
        connection.execute("select setval('public.clients_id_seq', %s)", [end])
        connection.execute("vacuum (analyze) public.clients")
        connection.execute("vacuum (analyze) public.stage_history")


def _slices(begin: int, end: int) -> Iterator[tuple[int, int]]:
    for first in range(begin, end + 1, _SLICE):
        yield first, min(first + _SLICE - 1, end)


def _fill(dsn: str, clients: int, rows: int, first: int, last: int) -> None:
    with psycopg.connect(dsn) as connection:
        connection.execute("set local session_replication_role = replica")
        # No need to wait for this server's disk: a lost slice is created again.
        connection.execute("set local synchronous_commit = off")
        connection.execute(
            _CLIENTS, {"rows": rows, "first": first, "last": last, "owners": clients // 60}
        )
        connection.execute(_HISTORY, {"rows": rows, "first": first, "last": last})


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Fill a migrated database with clients.")
    parser.add_argument("--database", required=True, help="URL of a superuser")
    parser.add_argument("--clients", type=int, default=10_000)
    parser.add_argument("--rows", type=int, default=30, help="of history, for each client")
    arguments = parser.parse_args()
    begun = time.perf_counter()
    generate(arguments.database, arguments.clients, arguments.rows)
    made = f"{arguments.clients:,} clients with {arguments.clients * arguments.rows:,} rows"
    console.print(f"{made} in {time.perf_counter() - begun:.0f} s")


if __name__ == "__main__":
    main()
