"""Sixteen writers on shared clients, while everything under them is killed, cut and replaced; then the reckoning.

    python lab/faults [--minutes 5] [--clients 24] [--seed 1] [--break idempotency] [--keep FOLDER] [--compose]

Each writer keeps a log of what it sent and what it was answered; afterwards logs and database have to tell one story.
`--break` breaks a rule on purpose, which the reckoning has to find: the exit code says whether anything was found.
`--compose` takes the containers of docker-compose.yml (needs Docker) in place of the stack of `atlas-stage serve`.
"""

import argparse
import logging
import random
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import psycopg

from lab.faults import sabotage
from lab.faults.check import Verdict, check
from lab.faults.containers import Containers, containers
from lab.faults.house import House, house
from lab.faults.writers import WRITERS, at_work

CLIENTS = 24
_CALM_SECONDS = 1.0

Stack = House | Containers


def run(
    folder: Path,
    seconds: float,
    broken: str = "",
    clients: int = CLIENTS,
    seed: int = 1,
    tell: Callable[[str], None] = lambda _: None,
    opened: Callable[[Path], AbstractContextManager[Stack]] = house,
) -> tuple[Verdict, Stack]:
    """Let everything happen for so long: the first time in turn, then in an order of chance. Logs go into `folder`."""
    logs = folder / "logs"
    logs.mkdir()
    with opened(folder) as at:
        shared = at.make_clients(clients)
        with psycopg.connect(at.dsn) as db:
            db.execute(sabotage.BEFORE.get(broken, ""))
        ways = at.ways(WRITERS)
        with at_work(ways, shared, logs, at.readers()):
            _let_happen(at, seconds, random.Random(seed), tell)
        with psycopg.connect(at.dsn) as db:
            db.execute(sabotage.AFTERWARDS.get(broken, ""))
            return check(db, shared, logs), at


def _let_happen(at: Stack, seconds: float, chance: random.Random, tell: Callable[[str], None]) -> None:
    began = time.monotonic()
    all_of_it = list(at.happenings().items())
    waiting = all_of_it[::-1]
    while (passed := time.monotonic() - began) < seconds:
        time.sleep(_CALM_SECONDS)
        waiting = waiting or chance.sample(all_of_it, len(all_of_it))
        name, happens = waiting.pop()
        tell(f"{passed:6.1f} s  {name}")
        happens()
        at.heal()


def main() -> int:
    """Run, print what was found, and end with 1 when it is not nothing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--clients", type=int, default=CLIENTS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--break", dest="broken", default="", choices=sorted(sabotage.SEEN_AS))
    parser.add_argument("--keep", type=Path, help="a new folder for data and logs, which stay")
    parser.add_argument("--compose", action="store_true", help="containers, in place of processes")
    said = parser.parse_args()
    logging.getLogger("psycopg").setLevel(logging.ERROR)  # of broken connections there are many
    with ExitStack() as kept:
        if said.keep is None:
            folder = kept.enter_context(tempfile.TemporaryDirectory(prefix="atlas-faults-"))
        else:
            folder = said.keep
            folder.mkdir(parents=True)
        opened = containers if said.compose else house
        options = (said.broken, said.clients, said.seed, print, opened)
        verdict, at = run(Path(folder), said.minutes * 60, *options)
    print(f"deploys       {at.deploys.tried}, of which {at.deploys.refused} gave up")
    print("\n".join(verdict.lines()))
    return 1 if verdict.broken else 0


if __name__ == "__main__":
    sys.exit(main())
