"""Import a file of clients in one transaction.

Every row uses the API functions under the usual rules. The transaction is rolled back for a dry run, and if a row is
refused.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import psycopg
from psycopg import sql
from rapidfuzz import fuzz, process

from atlas_stage.errors import NotFound, StageError, Unavailable
from atlas_stage.models import Client, Record
from atlas_stage.ops.seedfile import ACTORS, Row, form
from atlas_stage.protocol import Work
from atlas_stage.stage import Stage

OUTCOMES = ("new", "changed", "unchanged", "refused")
# The file's columns, and the fields of a client that they change.
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
    """The result of a row. `outcome` is one of OUTCOMES; `changes` and `warnings` are sentences."""

    row: int
    client: str
    outcome: str
    changes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    error: StageError | None = None


class Report(Record):
    """The result of a file. `applied` is False after a dry run, and if a row was refused: then nothing changed."""

    rows: tuple[RowReport, ...]
    applied: bool

    def count(self, outcome: str) -> int:
        return sum(each.outcome == outcome for each in self.rows)


def run(
    stage: Stage,
    rows: Sequence[Row],
    *,
    reason: str,
    apply: bool,
    on_row: Callable[[RowReport], object] = lambda _: None,
) -> Report:
    """Import the rows; with `apply` False, a dry run.

    `on_row` is called after each row. Raises Unavailable; every other error is in the report.
    """
    reports: list[RowReport] = []
    with stage.transaction() as work:
        if not apply:
            _spare_ids(work)
        firm = _Firm(stage)
        identified = [_identified(stage, firm, row) for row in rows]
        # By client id, new clients last: every writer locks clients in this order.
        identified.sort(key=lambda each: (each[1] is None, each[1].id if each[1] else each[0].line))
        for row, client in identified:
            report = _bring_in(stage, firm, row, client, reason)
            reports.append(report)
            on_row(report)
        applied = apply and not any(each.error for each in reports)
        if not applied:
            work.discard()
    return Report(tuple(sorted(reports, key=lambda each: each.row)), applied)


def _spare_ids(work: Work) -> None:
    """Keep a dry run from using up ids, if its login can: restarting a sequence is rolled back, `nextval` isn't."""
    for table in ("public.clients", "public.stage_history"):
        found = sql.SQL("select pg_get_serial_sequence({}, 'id'), max(id) + 1 from {}")
        query = found.format(table, sql.SQL(table))
        sequence, following = work.connection.execute(query).fetchone()
        if sequence is not None:
            restart = sql.SQL("alter sequence {} restart with {}")
            statement = restart.format(sql.SQL(sequence), following or 1)
            with suppress(psycopg.errors.InsufficientPrivilege), work.connection.transaction():
                work.connection.execute(statement)


# Names that are as alike as this are likely to be one client: of 100.
_ALIKE = 88
_SAYS_LITTLE = re.compile(r"(^|-)(and|the|inc|llc|llp|ltd|co|corp|company|gmbh)(?=-|$)")


class _Firm:
    """What the rows are compared with: clients by the forms of their names, by slug, and people."""

    def __init__(self, stage: Stage) -> None:
        clients = list(stage.iter_clients(active=None))
        self.names = {form(each.name): each for each in clients}
        self.alike = {_essence(each.name): each.name for each in clients}  # names by what they say
        self.slugs: dict[str, Client | None] = {each.slug: each for each in clients}  # None: a new client
        self.people = {each.actor_id for each in stage.people().people}
        self.lines: dict[object, int] = {}  # the first row of each client

    def named(self, name: str) -> Client | None:
        """The client with this slug or name, in whatever form it is written."""
        return self.slugs.get(name) or self.names.get(form(name))

    def new_slug(self, name: str) -> str:
        slug, number = form(name), 1
        while slug in self.slugs:
            number += 1
            slug = f"{form(name)}-{number}"
        return slug

    def add(self, name: str, slug: str) -> Iterator[str]:
        """Take note of a new client. Yields a warning if another's name looks like it."""
        essence = _essence(name)
        known = self.alike.keys()
        if alike := process.extractOne(essence, known, scorer=fuzz.ratio, score_cutoff=_ALIKE):
            yield f"looks like {self.alike[alike[0]]}: is it the same client?"
        self.alike.setdefault(essence, name)
        self.slugs[slug] = None

    def strangers(self, row: Row) -> Iterator[str]:
        """A warning for each person of the row who isn't known."""
        for column in ACTORS:
            for person in row.cells.get(column, "-").split("; "):
                if person != "-" and person not in self.people:
                    yield f"{person} isn't known yet"
                    self.people.add(person)


def _essence(name: str) -> str:
    return _SAYS_LITTLE.sub("", form(name))


def _identified(stage: Stage, firm: _Firm, row: Row) -> tuple[Row, Client | None]:
    """The row, with its problem if it has one, and its client, None for a new one. A client's second row is refused."""
    if row.problem:
        return row, None
    try:
        client = _find(stage, firm, row)
        key = client.id if client else row.cells.get("slug") or form(row.cells["name"])
        first = firm.lines.setdefault(key, row.line)
        if first != row.line:
            column = next(name for name in ("client", "slug", "name") if name in row.cells)
            raise row.refused(column, f"This client is in row {first} too.")
        return row, client
    except Unavailable:
        raise
    except StageError as error:
        return replace(row, problem=error), None


def _find(stage: Stage, firm: _Firm, row: Row) -> Client | None:
    named = row.cells.get("client")
    if named is None and "name" not in row.cells:
        raise row.refused("client", "The row has no client. Fill in client or name.")
    if named is None and "slug" not in row.cells:
        return firm.named(row.cells["name"])
    try:
        client = stage.client(named or row.cells["slug"]).client
    except NotFound as error:
        if named is None:
            return None
        raise row.refused("client", f"There is no client {named}.") from error
    if named is None and client.slug != row.cells["slug"]:
        return None  # the slug reads as a number, which is the id of another client
    for column in ("name", "slug"):
        if row.cells.get(column, getattr(client, column)) != getattr(client, column):
            raise row.refused(column, f"An import can't change the {column} of a client.")
    return client


def _bring_in(stage: Stage, firm: _Firm, row: Row, client: Client | None, reason: str) -> RowReport:
    warnings = list(firm.strangers(row))
    try:
        if row.problem:
            raise row.problem
        with stage.transaction():
            begun, fields = client, row.fields()
            if begun is None:  # its stage in the file is a move, as for other clients
                fields.pop("clear", None)
                name = row.cells["name"]
                slug = row.cells.get("slug") or firm.new_slug(name)
                begun = stage.create_client(name, slug, reason=reason, **fields).client
                fields = {}
                warnings += firm.add(name, slug)
            after = _settle(stage, row, begun, fields, reason)
    except Unavailable:
        raise
    except StageError as error:
        return RowReport(row.line, row.named, "refused", error=error)
    changes = tuple(_differences(client, after))
    outcome = "new" if client is None else "changed" if changes else "unchanged"
    return RowReport(row.line, after.name, outcome, changes, tuple(warnings))


def _settle(stage: Stage, row: Row, client: Client, fields: Mapping[str, Any], reason: str) -> Client:
    """Activate the client first and deactivate it last, because an inactive client can't move."""
    active = row.active()
    if active:
        client = stage.update_client(client, active=True, reason=reason).client
    to_stage = row.cells.get("stage", client.stage)
    if to_stage != client.stage:
        client = stage.set_stage(client, to_stage, reason, client.version, override=True).client
    for flag, on in row.flags():
        client = (stage.set_flag if on else stage.clear_flag)(client, flag, reason=reason).client
    if fields or active is False:
        client = stage.update_client(client, active=active, reason=reason, **fields).client
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
