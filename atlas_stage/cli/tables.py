"""The tables of clients, histories, queues, grants and tokens."""

from collections.abc import Iterable, Mapping
from datetime import tzinfo
from typing import Any

from rich.table import Table

from atlas_stage.cli.rendering import cell, columns, lines, listed, make_table, moment
from atlas_stage.models import (
    ActivityRow,
    AdministrationRecord,
    Client,
    Cover,
    HistoryRow,
    Permission,
    Person,
    QueueItem,
    Token,
)


def clients(found: Iterable[Client]) -> Table:
    """One row per client."""
    names = "id slug name stage days=age_days flags attention owner=stage_owner"
    shown = columns(names, name=lambda each: cell(each.name, "" if each.active else "dim"))
    return make_table(shown, found)


def people(found: Iterable[Person], zone: tzinfo) -> Table:
    """One row per person."""
    shown = columns(
        "who=actor_id role owns collaborates reviews tokens last_seen=last_seen_at",
        role=lambda each: each.role or listed(each.permissions),
    )
    return make_table(shown, found, zone=zone)


def covers(found: Iterable[Cover]) -> Table:
    """One row per cover."""
    names = "id=cover_id covers=to_actor_id for=from_actor_id until clients kept"
    return make_table(columns(names, kept=lambda each: listed(k["name"] for k in each.kept)), found)


def client(found: Client, zone: tzinfo) -> Table:
    """One row per field of a client."""
    fields = ((name, getattr(found, name)) for name in found.as_json())
    return make_table(("field", "value"), fields, zone=zone)


def change_of(row: HistoryRow) -> str:
    """What a history row changed."""
    parts = []
    if row.to_stage is not None:
        start = f"starts in {row.to_stage}"
        parts.append(f"{row.from_stage} → {row.to_stage}" if row.from_stage else start)
    parts += [f"+{row.flag_added}"] if row.flag_added else []
    parts += [f"-{row.flag_removed}"] if row.flag_removed else []
    changed = row.payload.get("changed")
    parts += ["changes " + listed(changed)] if isinstance(changed, dict) else []
    return "; ".join(parts)


def activity(rows: Iterable[ActivityRow], zone: tzinfo) -> Table:
    """One row per change of any client."""
    shown = columns(
        "when=occurred_at client=client_name what_and_why who",
        what_and_why=lambda each: lines(
            change_of(each) + (" (undone)" if each.is_rolled_back else ""), each.reason
        ),
        who=lambda each: each.actor_id,
    )
    return make_table(shown, rows, zone=zone)


def history(rows: Iterable[HistoryRow], zone: tzinfo, title: str | None = None) -> Table:
    """One row per change: what and why, who and how."""
    shown = columns(
        "version id when=occurred_at what_and_why who",
        what_and_why=lambda each: lines(change_of(each), each.reason),
        who=lambda each: lines(_who(each), _how(each)),
    )
    return make_table(shown, rows, title=title, zone=zone)


def _who(row: HistoryRow) -> str:
    return f"{row.person}, through {row.actor_id}" if _is_through(row) else row.actor_id


def _is_through(row: HistoryRow) -> bool:
    return row.person not in (None, row.actor_id)


def _how(row: HistoryRow) -> str:
    via = "" if row.channel == "api" else f" via {row.channel}"
    event = f", {row.triggered_by}" if row.triggered_by else ""
    whom = f", for {row.on_behalf_of}" if row.on_behalf_of and not _is_through(row) else ""
    return f"{row.trigger_type}{via}{event}{whom}"


def queue(items: Iterable[QueueItem], zone: tzinfo) -> Table:
    """A queue, most urgent first."""
    shown = columns(
        "id=client.id name=client.name stage=client.stage days=client.age_days why due=sla_due_at"
        " attention=client.attention flags=client.flags"
    )
    return make_table(shown, items, zone=zone)


def scope_of(scope: Mapping[str, Any] | None) -> str:
    """The scope of a grant."""
    if scope is None:
        return "everything"
    return "; ".join(f"{key}: {listed(map(str, values))}" for key, values in sorted(scope.items()))


def permissions(found: Iterable[Permission], zone: tzinfo) -> Table:
    """One row per grant."""
    shown = columns(
        "id actor=actor_id permission scope granted revoked=revoked_at notes",
        scope=lambda each: scope_of(each.scope),
        granted=lambda each: lines(moment(each.granted_at, zone), each.granted_by),
    )
    return make_table(shown, found, zone=zone)


def tokens(found: Iterable[Token], zone: tzinfo) -> Table:
    """One row per token."""
    shown = columns(
        "token=id actor=actor_id state description created=created_at expires last_used=last_used_at",
        expires=lambda each: each.expires_at or "never",
    )
    return make_table(shown, found, zone=zone)


def administration(records: Iterable[AdministrationRecord], zone: tzinfo) -> Table:
    """One row per change of grants, tokens, settings or rules."""
    shown = columns(
        "id when=occurred_at table=about row change who",
        row=lambda each: listed(map(str, each.key.values())),
        change=lambda each: lines(*_administered(each)),
        who=lambda each: lines(each.actor_id, f"{each.channel} as {each.login}", each.reason),
    )
    return make_table(shown, records, zone=zone)


def _administered(record: AdministrationRecord) -> list[str]:
    before, after = record.before or {}, record.after or {}
    if record.changed:
        return [
            f"{name}: {before.get(name)} → {after.get(name)}" if name in after else name
            for name in record.changed
        ]
    values = (
        f"{name} {value}"
        for name, value in (after or before).items()
        if name not in record.key and value is not None
    )
    return ["added" if after else "removed", listed(values)]
