"""Fill a migrated database with clients, as many as it takes to find out what becomes slow.

    python bench/generate_clients.py --database postgresql://… --clients 1000000

Four in five are in weekly, the rest is spread over the other stages; owners, tiers, cadences,
schedules and some flags as a firm would have them. Each has its version-0 row of history. The
triggers rest meanwhile, which takes a superuser: this is for benches, not for a firm's database.
"""

import argparse
import sys
import time

import psycopg

# Shares of a hundred. Ages are days in the stage; within the SLA, so that the detector has nothing to do.
_CLIENTS = """
insert into public.clients (
  name, slug, stage, stage_entered_at, stage_owner, service_tier, close_cadence, sales_tax_schedule,
  flags, returning_to_stage
)
select
  'Client ' || n,
  'bench-' || n,
  s.stage,
  now() - make_interval(hours => (24 * (1 + n %% s.days))::integer - 12),
  'user:bookkeeper-' || n %% 500,
  (array['recurring_only', 'recurring_plus_advisory', 'full_service'])[1 + n %% 3],
  case when n %% 20 = 0 then 'quarterly' when n %% 50 = 1 then 'annual' else 'monthly' end,
  (array['none', 'none', 'monthly', 'quarterly', 'annual'])[1 + n %% 5],
  case when n %% 25 = 3 then '{client_blocking}'::text[] when n %% 40 = 7 then '{advisory_due}' else '{}' end,
  case when s.stage like 'paused%%' then 'weekly' end
from generate_series(1, %(clients)s::bigint) n
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
"""

_HISTORY = """
insert into public.stage_history (
  client_id, version, to_stage, occurred_at, actor_type, actor_id, channel, trigger_type, reason
)
select c.id, 0, c.stage, c.stage_entered_at, 'system', 'system:install', 'psql', 'manual', 'generated'
from public.clients c
where c.slug like 'bench-%%'
  and not exists (select from public.stage_history h where h.client_id = c.id)
"""


def generate(dsn: str, clients: int) -> None:
    """Add the clients in one transaction, then let the server look at its tables."""
    with psycopg.connect(dsn) as connection:
        connection.execute("set local session_replication_role = replica")
        connection.execute(_CLIENTS, {"clients": clients})
        connection.execute(_HISTORY, {})
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("vacuum (analyze) public.clients")
        connection.execute("vacuum (analyze) public.stage_history")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Fill a migrated database with clients.")
    parser.add_argument("--database", required=True, help="URL of a superuser")
    parser.add_argument("--clients", type=int, default=1_000_000)
    arguments = parser.parse_args()
    begun = time.perf_counter()
    generate(arguments.database, arguments.clients)
    print(f"{arguments.clients:,} clients in {time.perf_counter() - begun:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
