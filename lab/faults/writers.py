"""Writers on shared clients, each with a log on disk of what it sent and what it was answered.

A writer reads a client, decides what follows from what it read, and sends that with the version it read and a key of
its own, again and again until it has an answer. Now and then it sends what was answered once more.
"""

import json
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.faults.ways import Answer, Way
from tests.support.words import FLAGS_OF_ANYONE, stages_after

Json = dict[str, Any]
WRITERS = 16
_AGAIN = 0.15  # of the answered writes are sent once more
_WAIT_SECONDS = (0.05, 0.3)


@dataclass(frozen=True)
class Told:
    """What all writers know."""

    clients: Sequence[int]
    """The ids that they share."""
    stop: threading.Event
    """Stop new writes; repeat the unanswered ones until they are answered."""
    give_up: threading.Event
    """Not even that."""


class Writer(threading.Thread):
    """One writer, or with `reads_only` one reader. Its log is `<folder>/<name>.jsonl`."""

    def __init__(self, name: str, make_way: Callable[[], Way], told: Told, folder: Path, reads_only: bool) -> None:
        super().__init__(name=name)
        self._way = make_way()
        self._told = told
        self._reads_only = reads_only
        self._log = (folder / f"{name}.jsonl").open("w", encoding="utf-8")
        self._chance = random.Random(name)
        self._number = 0

    def run(self) -> None:
        try:
            while not self._told.stop.is_set():
                self._number += 1
                found = self._read(self._chance.choice(self._told.clients))
                if found is not None and not self._reads_only:
                    self._write(*self._decide(found))
        finally:
            self._way.close()
            self._log.close()

    def _read(self, client_id: int) -> Json | None:
        answer = self._way.send("client", {"client_id": client_id}, None)
        client: Json | None = answer.body["client"] if answer.status == 200 else None
        said = {"client": client_id, "version": client["version"]} if client else {}
        self._note({"read": said} | _noted(answer))
        if client is None:
            time.sleep(self._chance.uniform(*_WAIT_SECONDS))
        return client

    def _decide(self, client: Json) -> tuple[str, Json]:
        chance = self._chance
        said = {"client_id": client["id"], "reason": f"{self.name} {self._number}"}
        what = chance.random()
        if what < 0.6:
            ahead = stages_after(client["stage"], client["returning_to_stage"]) - {"offboarding"}
            move = {"to_stage": chance.choice(sorted(ahead)), "expected_version": client["version"]}
            return "set_stage", said | move
        if what < 0.9:
            flag = chance.choice(FLAGS_OF_ANYONE)
            function = "clear_flag" if flag in client["flags"] else "set_flag"
            return function, said | {"flag": flag}
        noted = {"notes": f"noted by {self.name} as {self._number}"}
        return "update_client", said | noted | {"expected_version": client["version"]}

    def _write(self, function: str, arguments: Json) -> None:
        key = f"{self.name}-{self._number}"
        self._note({"key": key, "sent": function, "arguments": arguments})
        answer = self._until_answered(key, function, arguments)
        if answer.status == 200 and self._chance.random() < _AGAIN:
            self._until_answered(key, function, arguments)

    def _until_answered(self, key: str, function: str, arguments: Json) -> Answer:
        while True:
            answer = self._way.send(function, arguments, key)
            self._note({"key": key} | _noted(answer))
            if answer.is_final or self._told.give_up.is_set():
                return answer
            time.sleep(self._chance.uniform(*_WAIT_SECONDS))

    def _note(self, line: Json) -> None:
        self._log.write(json.dumps({"at": round(time.time(), 3), "way": self._way.name} | line))
        self._log.write("\n")
        self._log.flush()


def _noted(answer: Answer) -> Json:
    noted: Json = {"status": answer.status}
    if answer.rule:
        noted["rule"] = answer.rule
    if answer.fault:
        noted["fault"] = answer.fault
    if "changed" in answer.body:
        row = answer.body["history"] or {}
        noted |= {name: answer.body[name] for name in ("changed", "replayed")}
        noted |= {"history": row.get("id"), "version": row.get("version")}
    return noted


@contextmanager
def at_work(
    ways: Sequence[Callable[[], Way]],
    clients: Sequence[int],
    folder: Path,
    readers: Mapping[str, Callable[[], Way]],
    drain: float = 30.0,
) -> Iterator[None]:
    """A writer for each of `ways` and a reader for each of `readers`, by name, while the block runs.

    At its end they have `drain` seconds for the answers that are still open.
    """
    told = Told(clients, threading.Event(), threading.Event())
    workers = [
        *(Writer(f"writer-{n}", way, told, folder, False) for n, way in enumerate(ways, 1)),
        *(Writer(name, way, told, folder, True) for name, way in readers.items()),
    ]
    for worker in workers:
        worker.start()
    try:
        yield
    finally:
        told.stop.set()
        deadline = time.monotonic() + drain
        for worker in workers:
            worker.join(max(0.0, deadline - time.monotonic()))
        told.give_up.set()
        for worker in workers:
            worker.join()
