"""Bringing a seed file into the database as one piece.

Every row runs through the ordinary functions under the ordinary rules, also in a dry run: all of it is one transaction
that stays only when it is to be applied and no row is refused.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import psycopg
from psycopg import sql

from atlas_stage.errors import NotFound, StageError, Unavailable
from atlas_stage.models import Client, Record
from atlas_stage.ops.seedfile import Row
from atlas_stage.protocol import Work
from atlas_stage.stage import Stage

# The fields of a client that a row can change, under the names of their columns.
_COMPARED = {
    "stage": "stage",
    "owner": "stage_owner",
    "collaborators": "stage_collaborators",
    "cadence": "close_cadence",
    "schedule": "sales_tax_schedule",
    "tier": "service_tier",
    "reviewers": "eligible_reviewers",
    "notes": "stage_notes",
    "flags": "flags",
    "active": "active",
}


class RowReport(Record):
    """What became of a row. `outcome` is new, changed, unchanged or refused; `changes` says what, in words."""

    row: int
    client: str
    outcome: str
    changes: tuple[str, ...] = ()
    error: StageError | None = None


class Report(Record):
    """What became of a file. `applied` is False for a dry run and where a row was refused: then nothing stays."""

    rows: tuple[RowReport, ...]
    applied: bool

    def count(self, outcome: str) -> int:
        """How many rows ended so."""
        return sum(each.outcome == outcome for each in self.rows)


def run(
    stage: Stage,
    rows: Sequence[Row],
    *,
    reason: str,
    apply: bool,
    on_row: Callable[[RowReport], object] = lambda _: None,
) -> Report:
    """Bring the rows in, or with `apply` False only find out what would become of them.

    `on_row` is called after each row, in the order of the work. Raises Unavailable; every other error is in the report.
    """
    reports: list[RowReport] = []
    with stage.transaction() as work:
        if not apply:
            _spare_ids(work)
        for row, client, problem in _in_lock_order(_identified(stage, rows)):
            report = _bring_in(stage, row, client, problem, reason)
            reports.append(report)
            on_row(report)
        applied = apply and not any(each.error for each in reports)
        if not applied:
            work.discard()
    return Report(tuple(sorted(reports, key=lambda each: each.row)), applied)


def _spare_ids(work: Work) -> None:
    """Let a dry run use up no ids, where its login may: a sequence that is restarted in a transaction is another one
    until it is committed.
    """
    for table in ("public.clients", "public.stage_history"):
        statement = sql.SQL("select pg_get_serial_sequence({}, 'id'), max(id) + 1 from {}").format(
            table, sql.SQL(table)
        )
        sequence, following = work.connection.execute(statement).fetchone()
        if sequence is None:
            continue
        with suppress(psycopg.errors.InsufficientPrivilege), work.connection.transaction():
            work.connection.execute(
                sql.SQL("alter sequence {} restart with {}").format(
                    sql.SQL(sequence), following or 1
                )
            )


_Identified = tuple[Row, Client | None, StageError | None]


def _identified(stage: Stage, rows: Sequence[Row]) -> Iterator[_Identified]:
    """Each row with its client, None for a new one; a client that has had a row already is refused."""
    seen: dict[object, int] = {}
    for row in rows:
        if row.problem:
            yield row, None, row.problem
            continue
        try:
            client = _find(stage, row)
        except Unavailable:
            raise
        except StageError as error:
            yield row, None, error
            continue
        first = seen.setdefault(client.id if client else row.cells["slug"], row.line)
        twice = row.refused(
            "client" if "client" in row.cells else "slug",
            f"this client stands in row {first} already",
        )
        yield row, client, twice if first != row.line else None


def _in_lock_order(rows: Iterator[_Identified]) -> list[_Identified]:
    """By client id, new ones last: the order in which everything here locks clients."""
    return sorted(rows, key=lambda each: (each[1] is None, each[1].id if each[1] else each[0].line))


def _find(stage: Stage, row: Row) -> Client | None:
    named = row.cells.get("client")
    if named is None and not {"name", "slug"} <= row.cells.keys():
        raise row.refused("client", "the row names no client: give client, or name and slug")
    try:
        client = stage.client(named or row.cells["slug"]).client
    except NotFound as error:
        if named is None:
            return None
        raise row.refused("client", f"{error.message}: {named}") from error
    if named is None and client.slug != row.cells["slug"]:
        return None  # a slug that reads as a number: it was the id of another client
    for column in ("name", "slug"):
        if row.cells.get(column, getattr(client, column)) != getattr(client, column):
            raise row.refused(column, f"the {column} of a client is not changed here")
    return client


def _bring_in(
    stage: Stage, row: Row, client: Client | None, problem: StageError | None, reason: str
) -> RowReport:
    try:
        if problem:
            raise problem
        with stage.transaction():
            begun, fields = (client, row.fields()) if client else (_create(stage, row, reason), {})
            after = _settle(stage, row, begun, fields, reason)
    except Unavailable:
        raise
    except StageError as error:
        return RowReport(row.line, row.named, "refused", error=error)
    changes = tuple(_differences(client, after))
    outcome = "new" if client is None else "changed" if changes else "unchanged"
    return RowReport(row.line, after.name, outcome, changes)


def _create(stage: Stage, row: Row, reason: str) -> Client:
    """Take the client on where clients begin; where it really stands is a move, as for all others."""
    fields = {name: value for name, value in row.fields().items() if name != "clear"}
    return stage.create_client(
        row.cells["name"], slug=row.cells["slug"], reason=reason, **fields
    ).client


def _settle(
    stage: Stage, row: Row, client: Client, fields: Mapping[str, Any], reason: str
) -> Client:
    """Wake the client first and put it to sleep last: an inactive client does not move."""
    active = row.active()
    if active:
        client = stage.update_client(client.id, active=True, reason=reason).client
    to_stage = row.cells.get("stage", client.stage)
    if to_stage != client.stage:
        client = stage.set_stage(
            client.id,
            to_stage=to_stage,
            reason=reason,
            expected_version=client.version,
            override=True,
        ).client
    client = _flagged(stage, row, client, reason)
    if fields or active is False:
        client = stage.update_client(client.id, active=active, reason=reason, **fields).client
    return client


def _flagged(stage: Stage, row: Row, client: Client, reason: str) -> Client:
    for flag, on in row.flags():
        call = stage.set_flag if on else stage.clear_flag
        client = call(client.id, flag=flag, reason=reason).client
    return client


def _differences(before: Client | None, after: Client) -> Iterator[str]:
    for column, name in _COMPARED.items():
        old, new = getattr(before, name, None), getattr(after, name)
        if before is None and new:
            yield f"{column} {_words(new)}"
        elif before is not None and old != new:
            yield f"{column} {_words(old)} → {_words(new)}"


def _words(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(value) or "-"
    return "-" if value is None else str(value)
