"""The tables of clients, histories, queues, grants and tokens."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import tzinfo
from typing import Any

from rich.table import Table
from rich.text import Text

from atlas_stage.cli.rendering import Columns, cell, listed, make_table, moment, stage_cell
from atlas_stage.models import (
    AdministrationRecord,
    Client,
    HistoryRow,
    Permission,
    QueueItem,
    Token,
)


def clients_table(clients: Iterable[Client]) -> Table:
    """Clients, one a row."""
    columns: Columns = {
        "id": "id",
        "slug": "slug",
        "name": lambda each: cell(each.name, "" if each.active else "dim"),
        "stage": "stage",
        "days": "age_days",
        "flags": "flags",
        "attention": "attention",
        "owner": "stage_owner",
        "version": "version",
    }
    return make_table(columns, clients, spare=("version", "slug"))


def client_table(client: Client, zone: tzinfo) -> Table:
    """Everything about one client, a field a row."""
    fields = vars(client) | {"stage": stage_cell(client.stage)}
    return make_table(("field", "value"), fields.items(), zone=zone)


def change_of(row: HistoryRow) -> str:
    """What a history row changed, in words."""
    parts = []
    if row.to_stage is not None and row.from_stage is None:
        parts.append(f"starts in {row.to_stage}")
    elif row.to_stage is not None:
        parts.append(f"{row.from_stage} → {row.to_stage}")
    parts += [f"+{row.flag_added}"] if row.flag_added else []
    parts += [f"-{row.flag_removed}"] if row.flag_removed else []
    changed = row.payload.get("changed")
    if isinstance(changed, dict):
        parts.append("changes " + listed(changed))
    return "; ".join(parts)


def history_table(rows: Iterable[HistoryRow], zone: tzinfo, title: str | None = None) -> Table:
    """History, a change in two lines: what and why, who and how."""
    columns: Columns = {
        "version": "version",
        "id": lambda each: cell(each.id, "dim"),
        "when": lambda each: _lines(moment(each.occurred_at, zone, "%Y-%m-%d %H:%M:%S").split()),
        "what and why": lambda each: _lines([change_of(each), each.reason or ""]),
        "who": lambda each: _lines([each.actor_id, _how(each)]),
    }
    return make_table(columns, rows, title=title, zone=zone)


def _how(row: HistoryRow) -> str:
    via = "" if row.channel == "api" else f" via {row.channel}"
    event = f", {row.triggered_by}" if row.triggered_by else ""
    whom = f", for {row.on_behalf_of}" if row.on_behalf_of else ""
    return f"{row.trigger_type}{via}{event}{whom}"


def _lines(lines: Sequence[str]) -> Text:
    """A cell of several lines, the first one plain and the others dim."""
    first, *others = lines
    return Text("\n").join([cell(first), *(cell(line, "dim") for line in others if line)])


def queue_table(items: Iterable[QueueItem], zone: tzinfo) -> Table:
    """A queue, most pressing first."""
    columns: Columns = {
        "id": "client.id",
        "name": "client.name",
        "stage": "client.stage",
        "days": "client.age_days",
        "why": "why",
        "due": "sla_due_at",
        "attention": "client.attention",
        "flags": "client.flags",
        "version": "client.version",
    }
    return make_table(columns, items, zone=zone)


def scope_of(scope: Mapping[str, Any] | None) -> str:
    """A grant's scope in words."""
    if scope is None:
        return "everything"
    return "; ".join(f"{key}: {listed(map(str, values))}" for key, values in sorted(scope.items()))


def permissions_table(permissions: Iterable[Permission], zone: tzinfo) -> Table:
    """Grants, one a row; revoked ones are dim."""
    columns: Columns = {
        "id": "id",
        "actor": lambda each: cell(each.actor_id, "dim" if each.revoked_at else ""),
        "permission": lambda each: cell(each.permission, "dim" if each.revoked_at else ""),
        "scope": lambda each: scope_of(each.scope),
        "granted": "granted_at",
        "by": "granted_by",
        "revoked": "revoked_at",
        "notes": "notes",
    }
    return make_table(columns, permissions, zone=zone, spare=("notes", "by", "granted"))


def tokens_table(tokens: Iterable[Token], zone: tzinfo) -> Table:
    """Tokens, one a row."""
    columns: Columns = {
        "token": "id",
        "actor": "actor_id",
        "state": "state",
        "description": "description",
        "created": "created_at",
        "expires": lambda each: each.expires_at or "never",
        "last used": "last_used_at",
    }
    return make_table(columns, tokens, zone=zone, spare=("created", "last used"))


def administration_table(records: Iterable[AdministrationRecord], zone: tzinfo) -> Table:
    """Changes of what decides the rules: which row of which table, what became of it, and who did it."""
    columns: Columns = {
        "id": lambda each: cell(each.id, "dim"),
        "when": lambda each: _lines(moment(each.occurred_at, zone, "%Y-%m-%d %H:%M:%S").split()),
        "table": "about",
        "row": lambda each: cell(listed(map(str, each.key.values()))),
        "change": lambda each: _lines(_administered(each)),
        "who": lambda each: _lines(
            [each.actor_id, f"{each.channel} as {each.login}", each.reason or ""]
        ),
    }
    return make_table(columns, records, zone=zone)


def _administered(record: AdministrationRecord) -> list[str]:
    before, after = record.before or {}, record.after or {}
    if record.changed:
        return [
            f"{name}: {before.get(name)} → {after.get(name)}" if name in after else name
            for name in record.changed
        ]
    said = (
        f"{name} {value}"
        for name, value in (after or before).items()
        if name not in record.key and value is not None
    )
    return ["added" if after else "removed", listed(said)]
