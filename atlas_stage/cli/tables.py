"""The tables of clients, histories, queues, grants and tokens."""

from collections.abc import Mapping
from typing import Any

from atlas_stage.cli.rendering import Lines, cell, columns, listed
from atlas_stage.models import AdministrationRecord, HistoryRow


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


def _actors_of(row: HistoryRow) -> Lines:
    is_through = row.person not in (None, row.actor_id)
    who = f"{row.person}, through {row.actor_id}" if is_through else row.actor_id
    via = "" if row.channel == "api" else f" via {row.channel}"
    event = f", {row.triggered_by}" if row.triggered_by else ""
    whom = f", for {row.on_behalf_of}" if row.on_behalf_of and not is_through else ""
    return Lines(who, [f"{row.trigger_type}{via}{event}{whom}"])


def _scope_of(scope: Mapping[str, Any] | None) -> str:
    if scope is None:
        return "everything"
    return "; ".join(f"{key}: {listed(map(str, values))}" for key, values in sorted(scope.items()))


def _administered(record: AdministrationRecord) -> Lines:
    before, after = record.before or {}, record.after or {}
    if record.changed:
        first, *others = (
            f"{name}: {before.get(name)} → {after.get(name)}" if name in after else name for name in record.changed
        )
        return Lines(first, others)
    values = (
        f"{name} {value}" for name, value in (after or before).items() if name not in record.key and value is not None
    )
    return Lines("added" if after else "removed", [listed(values)])


CLIENTS = columns(
    "id slug name stage days=age_days flags attention owner=stage_owner",
    name=lambda each: cell(each.name, "" if each.active else "dim"),
)
PEOPLE = columns(
    "who=actor_id role owns collaborates reviews tokens last_seen=last_seen_at",
    role=lambda each: each.role or listed(each.permissions),
)
COVERS = columns(
    "id=cover_id covers=to_actor_id for=from_actor_id until clients kept",
    kept=lambda each: listed(client["name"] for client in each.kept),
)
ACTIVITY = columns(
    "when=occurred_at client=client_name what_and_why who=actor_id",
    what_and_why=lambda each: Lines(change_of(each) + (" (undone)" if each.is_rolled_back else ""), [each.reason]),
)
HISTORY = columns(
    "version id when=occurred_at what_and_why who",
    what_and_why=lambda each: Lines(change_of(each), [each.reason]),
    who=_actors_of,
)
QUEUE = columns(
    "id=client.id name=client.name stage=client.stage days=client.age_days why due=sla_due_at"
    " attention=client.attention flags=client.flags"
)
PERMISSIONS = columns(
    "id actor=actor_id permission scope granted revoked=revoked_at notes",
    scope=lambda each: _scope_of(each.scope),
    granted=lambda each: Lines(each.granted_at, [each.granted_by]),
)
TOKENS = columns(
    "token=id actor=actor_id state description created=created_at expires last_used=last_used_at",
    expires=lambda each: each.expires_at or "never",
)
ADMINISTRATION = columns(
    "id when=occurred_at table=about row change who",
    # JSON has the columns of a key in no order that means something: to_stage comes before from_stage
    row=lambda each: listed(f"{name}={value}" for name, value in sorted(each.key.items())),
    change=_administered,
    who=lambda each: Lines(each.actor_id, [f"{each.channel} as {each.login}", each.reason]),
)
