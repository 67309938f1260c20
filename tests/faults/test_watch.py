"""Every change reaches the receiver, in order per client, while the whole stack and watch itself are killed."""

from __future__ import annotations

import os
import random
import signal
import threading
from pathlib import Path

import psycopg
import pytest

from atlas_stage import Stage
from atlas_stage.ops.notices import Watch
from lab.faults.house import house
from lab.faults.run import _let_happen
from lab.faults.writers import at_work
from tests.http.webhooks import SECRET, launched, receiver

pytestmark = pytest.mark.slow

_SECONDS = 25


@pytest.mark.skipif("ATLAS_TEST_URL" in os.environ, reason="kills the server")
def test_no_change_is_missed_whatever_dies(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    kills, stop = 0, threading.Event()
    with house(tmp_path) as at, receiver() as hook:
        file = tmp_path / "state"
        with Stage.connect(url=at.http_url, token=at.token) as stage:
            Watch(stage, hook.url, SECRET, file).run(once=True)
            shared = at.make_clients(6)

            def keep_killing() -> None:
                nonlocal kills
                with launched(at.http_url, at.token, hook, file) as start:
                    while not stop.is_set():
                        pid = start()
                        stop.wait(random.uniform(0.05, 0.5))
                        os.kill(pid, signal.SIGKILL)
                        kills += 1

            killer = threading.Thread(target=keep_killing)
            killer.start()
            with at_work(at.ways(4), shared, tmp_path / "logs", at.readers()):
                _let_happen(at, _SECONDS, random.Random(1), print)
            stop.set()
            killer.join()
            Watch(stage, hook.url, SECRET, file).run(once=True)
        with psycopg.connect(at.dsn) as db:
            rows = db.execute(
                "select client_id, array_agg(version::int order by version) from stage_history"
                " where client_id = any (%s) group by 1",
                [shared],
            ).fetchall()
        posted = {one: versions for one, versions in hook.versions().items() if one in shared}
    assert posted == dict(rows)
    assert sum(map(len, posted.values())) > 50
    assert kills > 10
    print(f"{kills} kills, {len(hook.accepted)} messages, {len(hook.notices)} of them different")
