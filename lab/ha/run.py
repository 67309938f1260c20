"""A highly available Atlas client stage on this machine, for trying.

    python lab/ha                          until Ctrl-C; it prints where everything is
    python lab/ha --trial                  what writers notice of a switchover, kills and a pause; then ends
    python lab/ha --trial --only switch_over kill_postgresql

It needs etcd, HAProxy and PgBouncer; README.md has the details.
"""

import argparse
import logging
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from atlas_stage.local.serving import until_told_to_stop
from lab.ha.cluster import missing
from lab.ha.figures import figures
from lab.ha.served import Served, served
from lab.ha.trial import HAPPENINGS, trial


def main() -> int:
    """Begin, and end with 1 when a trial found something."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    names = [each.__name__ for each in HAPPENINGS]
    parser.add_argument("--trial", action="store_true")
    parser.add_argument("--figures", action="store_true")
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    said = parser.parse_args()
    gone = missing()
    if gone:
        sys.exit(f"not installed: {', '.join(gone)}; lab/ha/README.md says from where")
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="atlas-ha-")))
        if not (said.trial or said.figures):
            opened.enter_context(until_told_to_stop())
        at = opened.enter_context(served(folder, print))
        if said.trial:
            return _try(at, folder, said.only)
        if said.figures:
            for line in figures(at):
                print(line)
            return 0
        _tell(at)
        while True:
            time.sleep(1)
    return 0


def _try(at: Served, folder: Path, only: list[str]) -> int:
    logging.getLogger("psycopg").setLevel(logging.ERROR)  # of broken connections there are many
    logs = folder / "logs"
    logs.mkdir()
    verdict, outages = trial(at, logs, [h for h in HAPPENINGS if h.__name__ in only], print)
    for each in outages:
        print(
            f"{each.name.replace('_', ' '):30} nothing acknowledged for {each.silence:5.1f} s,"
            f" by the slowest writer {each.slowest:5.1f} s"
        )
    print("\n".join(verdict.lines()))
    return 1 if verdict.broken else 0


def _tell(at: Served) -> None:
    places = at.cluster
    print(f"""
the leader, over HTTP       {at.leader.url}
the standbys, over HTTP     {at.standbys.url}   (reads)
the leader                  {places.dsn}
a standby                   {places.standby_dsn}
the leader, by PgBouncer    {places.pooled_dsn}
the leader, found by libpq  {places.several_hosts_dsn}
a token of user:jimmie      {at.token}
the nodes' Patroni          {" ".join(f"{n.name}: http://127.0.0.1:{n.rest}/patroni" for n in places.nodes)}
Ctrl-C ends it, and everything in it.""")


if __name__ == "__main__":
    sys.exit(main())
