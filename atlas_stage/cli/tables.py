"""The tables of clients, histories, queues, grants and tokens."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any

from rich.table import Table
from rich.text import Text

from atlas_stage.cli.rendering import cell, listed, make_table, moment, stage_cell
from atlas_stage.models import Client, HistoryRow, Permission, QueueItem, Token


def clients_table(clients: Iterable[Client]) -> Table:
    """Clients, one a row."""
    return make_table(
        ("id", "slug", "name", "stage", "days", "flags", "attention", "owner", "version"),
        (
            (
                cell(each.id),
                cell(each.slug),
                cell(each.name, "" if each.active else "dim"),
                stage_cell(each.stage),
                cell(each.age_days),
                cell(listed(each.flags), "yellow"),
                cell(each.attention, "bold red"),
                cell(each.stage_owner),
                cell(each.version),
            )
            for each in clients
        ),
        spare=("version", "slug"),
    )


def client_table(client: Client, zone: tzinfo) -> Table:
    """Everything about one client, a field a row."""
    rows = []
    for name, value in client.as_json().items():
        value = listed(value) if isinstance(value, list) else value
        if isinstance(getattr(client, name), datetime):
            value = moment(getattr(client, name), zone)
        if isinstance(value, bool):
            value = "yes" if value else "no"
        rows.append((cell(name, "dim"), stage_cell(value) if name == "stage" else cell(value)))
    return make_table(("field", "value"), rows, zone=zone)


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
    return make_table(
        ("version", "id", "when", "what and why", "who"),
        (
            (
                cell(each.version),
                cell(each.id, "dim"),
                _lines(moment(each.occurred_at, zone, "%Y-%m-%d %H:%M:%S").split()),
                _lines([change_of(each), each.reason or ""]),
                _lines([each.actor_id, _how(each)]),
            )
            for each in rows
        ),
        title=title,
        zone=zone,
    )


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
    return make_table(
        ("id", "name", "stage", "days", "why", "due", "attention", "flags", "version"),
        (
            (
                cell(each.client.id),
                cell(each.client.name),
                stage_cell(each.client.stage),
                cell(each.client.age_days),
                cell(listed(each.why)),
                cell(moment(each.sla_due_at, zone)),
                cell(each.client.attention, "bold red"),
                cell(listed(each.client.flags), "yellow"),
                cell(each.client.version),
            )
            for each in items
        ),
        zone=zone,
    )


def scope_of(scope: Mapping[str, Any] | None) -> str:
    """A grant's scope in words."""
    if scope is None:
        return "everything"
    return "; ".join(f"{key}: {listed(map(str, values))}" for key, values in sorted(scope.items()))


def permissions_table(permissions: Iterable[Permission], zone: tzinfo) -> Table:
    """Grants, one a row; revoked ones are dim."""
    return make_table(
        ("id", "actor", "permission", "scope", "granted", "by", "revoked", "notes"),
        (
            (
                cell(each.id),
                cell(each.actor_id, "dim" if each.revoked_at else ""),
                cell(each.permission, "dim" if each.revoked_at else ""),
                cell(scope_of(each.scope)),
                cell(moment(each.granted_at, zone)),
                cell(each.granted_by),
                cell(moment(each.revoked_at, zone)),
                cell(each.notes),
            )
            for each in permissions
        ),
        zone=zone,
        spare=("notes", "by", "granted"),
    )


def tokens_table(tokens: Iterable[Token], zone: tzinfo) -> Table:
    """Tokens, one a row."""
    return make_table(
        ("token", "actor", "state", "description", "created", "expires", "last used"),
        (
            (
                cell(each.id),
                cell(each.actor_id),
                cell(each.state, "green" if each.state == "active" else "dim"),
                cell(each.description),
                cell(moment(each.created_at, zone)),
                cell(moment(each.expires_at, zone) or "never"),
                cell(moment(each.last_used_at, zone)),
            )
            for each in tokens
        ),
        zone=zone,
        spare=("created", "last used"),
    )
