"""Whether what the writers were answered and what the database holds are the same story.

It knows the product's tables and what their columns mean, and uses none of its functions.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

# The answers that a writer can get: done, another writer was faster, retry later, or none because the connection broke.
ALLOWED = frozenset({0, 200, 409, 503})
Json = dict[str, Any]
_PAUSES = frozenset({"paused_client", "paused_internal"})


KINDS = {
    "lost": "acknowledged, and not in history as acknowledged",
    "duplicated": "in history more than once",
    "contradicted": "answered in two ways that cannot both be true",
    "unknown": "in history, but no writer sent it",
    "gaps": "clients whose versions are not 0, 1, 2 …",
    "not_replayed": "clients that are not what their history makes of them",
    "went_back": "readers that saw a version and then an older one",
    "vanished": "versions that were read and are not there",
    "wrong_answers": "answers that no caller can act on",
}


@dataclass
class Verdict:
    """The counts of a fault run, and each promise that it found broken: there must be none."""

    acknowledged: int = 0
    unchanged: int = 0
    conflicting: int = 0
    unanswered: int = 0
    unanswered_done: int = 0
    replayed: int = 0
    reads: int = 0
    standby_reads: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    broken: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """The problems found, by kind."""

    def lines(self) -> Iterator[str]:
        yield f"acknowledged  {self.acknowledged} changes, {self.unchanged} that changed nothing"
        yield f"conflicting   {self.conflicting} refused because another writer was faster"
        yield f"replayed      {self.replayed} answered from an earlier try"
        yield f"unanswered    {self.unanswered}, of which {self.unanswered_done} are in history"
        yield f"reads         {self.reads}, and {self.standby_reads} of a standby"
        for name, words in KINDS.items():
            found = self.broken.get(name, [])
            yield f"{name:13} {len(found)} {words}" + "".join(f"\n    {each}" for each in found[:5])
        yield "answers       " + ", ".join(f"{n} × {s}" for s, n in sorted(self.statuses.items()))


_HISTORY = "select * from public.stage_history where client_id = any (%s) order by client_id, version, id"
_CLIENTS = "select * from public.clients where id = any (%s)"


def check(db: psycopg.Connection[Any], clients: Iterable[int], folder: Path) -> Verdict:
    """Compare the logs in `folder` with the database."""
    verdict = Verdict()
    wanted = [list(clients)]
    with db.cursor(row_factory=dict_row) as cursor:
        history = cursor.execute(_HISTORY, wanted).fetchall()
        stored = cursor.execute(_CLIENTS, wanted).fetchall()
    _check_clients(verdict, stored, history)
    by_key: dict[str, list[Json]] = defaultdict(list)
    for row in history:
        if row["external_id"] is not None:
            by_key[row["external_id"]].append(row)
    newest = {row["id"]: row["version"] for row in stored}
    sent: set[str] = set()
    for log in sorted(folder.glob("*.jsonl")):
        writes = _read_log(verdict, log, newest)
        sent |= writes.keys()
        for key, lines in writes.items():
            _check_write(verdict, key, lines, by_key.get(key, []))
    for row in history:
        if row["version"] > 0 and row["external_id"] not in sent:
            said = f"client {row['client_id']} version {row['version']} ({row['external_id']})"
            verdict.broken["unknown"].append(said)
    return verdict


def _read_log(verdict: Verdict, log: Path, newest: dict[int, int]) -> dict[str, list[Json]]:
    """The lines of each write; those of reads are judged at once."""
    writes: dict[str, list[Json]] = defaultdict(list)
    seen: dict[int, int] = {}
    for line in map(json.loads, log.read_text(encoding="utf-8").splitlines()):
        if "status" in line:
            _count(verdict, log.stem, line)
        if "key" in line:
            writes[line["key"]].append(line)
        elif line.get("read") and log.stem.startswith("standby"):
            # Standbys replay each at its own pace, and may show what a dying leader's callers were never answered.
            verdict.standby_reads += 1
        elif line.get("read"):
            verdict.reads += 1
            client, version = line["read"]["client"], line["read"]["version"]
            said = f"{log.stem}, client {client}: version {version}"
            if version < seen.get(client, 0):
                verdict.broken["went_back"].append(f"{said} after {seen[client]}")
            if version > newest.get(client, -1):
                verdict.broken["vanished"].append(f"{said}, now {newest.get(client)}")
            seen[client] = version
    return writes


def _count(verdict: Verdict, who: str, line: Json) -> None:
    status = line["status"]
    named = str(status) if status else "no answer"
    verdict.statuses[f"{line['way']} {named} {line.get('rule', '')}".rstrip()] += 1
    if status not in ALLOWED or "fault" in line:
        said = f"{status} {line.get('rule', '')} {line.get('fault', '')}"
        verdict.broken["wrong_answers"].append(f"{who}, {line.get('key', 'a read')}: {said}")


def _check_write(verdict: Verdict, key: str, lines: list[Json], rows: list[Json]) -> None:
    request, answers = lines[0], [line for line in lines[1:] if line["status"] == 200]
    refused = [line for line in lines[1:] if line["status"] == 409]
    changes = {line["history"] for line in answers if line["changed"]}
    verdict.replayed += sum(line["replayed"] for line in answers)
    if len(rows) > 1:
        verdict.broken["duplicated"].append(f"{key}: rows {[row['id'] for row in rows]}")
    if len(changes) > 1 or len({line["changed"] for line in answers}) > 1 or (answers and refused):
        verdict.broken["contradicted"].append(f"{key}: {[_said(line) for line in lines[1:]]}")
    if changes:
        verdict.acknowledged += 1
        if not any(_is_as_said(row, request, answers) for row in rows):
            verdict.broken["lost"].append(f"{key}: {[_said(line) for line in answers]}, in history {len(rows)} rows")
    elif rows and (answers or refused):
        verdict.broken["contradicted"].append(f"{key}: in history, and {[_said(line) for line in lines[1:]]}")
    elif answers:
        verdict.unchanged += 1
    elif refused:
        verdict.conflicting += 1
    else:
        verdict.unanswered += 1
        verdict.unanswered_done += bool(rows)


def _said(line: Json) -> str:
    return f"{line['status']} {line.get('rule') or line.get('version')}"


def _is_as_said(row: Json, request: Json, answers: list[Json]) -> bool:
    asked = request["arguments"]
    done = {
        "set_stage": row["to_stage"] == asked.get("to_stage"),
        "set_flag": row["flag_added"] == asked.get("flag"),
        "clear_flag": row["flag_removed"] == asked.get("flag"),
        "update_client": row["payload"].get("changed", {}).get("stage_notes", {}).get("to") == asked.get("notes"),
    }[request["sent"]]
    return (
        done
        and row["client_id"] == asked["client_id"]
        and row["reason"] == asked["reason"]
        and all((line["history"], line["version"]) == (row["id"], row["version"]) for line in answers)
    )


def _check_clients(verdict: Verdict, stored: list[Json], history: list[Json]) -> None:
    rows: dict[int, list[Json]] = defaultdict(list)
    for row in history:
        rows[row["client_id"]].append(row)
    for client in stored:
        own = rows[client["id"]]
        versions = [row["version"] for row in own]
        if versions != list(range(len(own))):
            verdict.broken["gaps"].append(f"client {client['id']}: {versions[-5:]} of {len(own)} rows")
        made = _replay(own)
        differs = {name: (client[name], made[name]) for name in made if client[name] != made[name]}
        if differs:
            verdict.broken["not_replayed"].append(f"client {client['id']}: {differs}")


def _replay(rows: list[Json]) -> Json:
    """What a client is after these changes."""
    made: Json = {"version": -1, "stage": None, "flags": [], "returning_to_stage": None}
    spent = timedelta(0)  # in its stage, when it was paused: a pause stops the clock
    for row in rows:
        made["version"] = row["version"]
        for name, change in row["payload"].get("changed", {}).items():
            made[name] = change["to"]
        if row["to_stage"] is not None:
            entered = row["occurred_at"]
            if row["to_stage"] not in _PAUSES:
                if row["to_stage"] == made["returning_to_stage"]:
                    entered -= spent
                made["returning_to_stage"] = None
            elif row["from_stage"] is not None and row["from_stage"] not in _PAUSES:
                spent = max(timedelta(0), entered - made["stage_entered_at"])
                made["returning_to_stage"] = row["from_stage"]
            made |= {"stage": row["to_stage"], "stage_entered_at": entered}
        flags = set(made["flags"]) - {row["flag_removed"]} | {row["flag_added"]}
        made["flags"] = sorted(flags - {None})
    return made
