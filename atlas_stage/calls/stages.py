"""The calls about clients and their stages: reading them, asking, moving, flagging, undoing."""

from collections.abc import Sequence
from typing import Any

from atlas_stage.calls.call import Call, Json, Walk, read, write
from atlas_stage.models import (
    Actor,
    Change,
    Check,
    Client,
    ClientPage,
    ClientView,
    HistoryPage,
    HistoryRow,
    Outcomes,
    QueueItem,
)

# -- reading


def clients(
    stage: str | None = None,
    *,
    flag: str | None = None,
    owner: str | None = None,
    age_days_gt: int | None = None,
    stuck: bool | None = None,
    service_tier: str | None = None,
    active: bool | None = True,
    search: str | None = None,
    after: int | None = None,
    page_size: int | None = None,
) -> Call[ClientPage]:
    """A page of clients by id; all filters must fit. `active` None takes the inactive ones too."""
    return read(
        "clients",
        ClientPage.from_json,
        {"active": active},
        stage=stage,
        flag=flag,
        owner=owner,
        age_days_gt=age_days_gt,
        stuck=stuck,
        service_tier=service_tier,
        search=search,
        after=after,
        page_size=page_size,
    )


def iter_clients(stage: str | None = None, **filters: Any) -> Walk[Client]:
    """All clients that fit the filters of `clients`, page after page."""

    def page(after: Any) -> Call[tuple[Sequence[Client], Any]]:
        found = clients(stage, **{**filters, "after": after})
        return found.then(lambda each: (each.clients, each.next_after))

    return Walk(page, start=filters.get("after"))


def client(client_id: int) -> Call[ClientView]:
    """A client and its latest history row. Raises NotFound."""
    return read("client", ClientView.from_json, {"client_id": client_id})


def stage_history(
    client_id: int,
    *,
    page_size: int | None = None,
    before_version: int | None = None,
) -> Call[HistoryPage]:
    """The latest rows of a client's history (before `before_version`), oldest first."""
    return read(
        "stage_history",
        HistoryPage.from_json,
        {"client_id": client_id},
        page_size=page_size,
        before_version=before_version,
    )


def iter_history(client_id: int, *, page_size: int | None = None) -> Walk[HistoryRow]:
    """The whole history of a client, newest first, page after page."""

    def page(before: Any) -> Call[tuple[Sequence[HistoryRow], Any]]:
        found = stage_history(client_id, page_size=page_size, before_version=before)
        return found.then(lambda each: (each.history[::-1], each.next_before_version))

    return Walk(page)


def queue(
    actor_id: str | None = None, *, page_size: int | None = None
) -> Call[tuple[QueueItem, ...]]:
    """What the actor (default: the caller) should do next, most pressing first."""
    return read("queue", _items, {}, actor_id=actor_id, page_size=page_size)


def _items(answer: Json) -> tuple[QueueItem, ...]:
    return tuple(map(QueueItem.from_json, answer["queue"]))


def check_stage(client_id: int, *, to_stage: str) -> Call[Check]:
    """Would this move be allowed? Names every rule against it; changes nothing."""
    return read("check_stage", Check.from_json, {"client_id": client_id, "to_stage": to_stage})


def whoami() -> Call[Actor]:
    """Who the database says is asking."""
    return read("whoami", Actor.from_json, {})


# -- changing


def set_stage(
    client_id: int,
    *,
    to_stage: str,
    reason: str,
    expected_version: int,
    triggered_by: str | None = None,
    on_behalf_of: str | None = None,
    channel: str | None = None,
    external_id: str | None = None,
    payload: Json | None = None,
    override: bool | None = None,
) -> Call[Change]:
    """Move a client. `expected_version` is the version that was read: VersionConflict if it is
    another by now.
    """
    return write(
        "set_stage",
        Change.from_json,
        {
            "client_id": client_id,
            "to_stage": to_stage,
            "reason": reason,
            "expected_version": expected_version,
        },
        triggered_by=triggered_by,
        on_behalf_of=on_behalf_of,
        channel=channel,
        external_id=external_id,
        payload=payload,
        override=override,
    )


def set_stages(items: Sequence[Json], *, atomic: bool | None = None) -> Call[Outcomes]:
    """Move many clients in one call: each item holds the arguments of `set_stage` and has its
    own outcome.

    With `atomic` one refusal refuses all.
    """
    return write("set_stages", Outcomes.from_json, {"items": list(items)}, atomic=atomic)


def set_flag(
    client_id: int,
    *,
    flag: str,
    reason: str | None = None,
    triggered_by: str | None = None,
    on_behalf_of: str | None = None,
    channel: str | None = None,
    external_id: str | None = None,
    payload: Json | None = None,
) -> Call[Change]:
    """Set a flag; setting what is set answers `changed` False."""
    return write(
        "set_flag",
        Change.from_json,
        {"client_id": client_id, "flag": flag},
        reason=reason,
        triggered_by=triggered_by,
        on_behalf_of=on_behalf_of,
        channel=channel,
        external_id=external_id,
        payload=payload,
    )


def clear_flag(
    client_id: int,
    *,
    flag: str,
    reason: str | None = None,
    triggered_by: str | None = None,
    on_behalf_of: str | None = None,
    channel: str | None = None,
    external_id: str | None = None,
    payload: Json | None = None,
) -> Call[Change]:
    """Clear a flag; clearing what is not set answers `changed` False."""
    return write(
        "clear_flag",
        Change.from_json,
        {"client_id": client_id, "flag": flag},
        reason=reason,
        triggered_by=triggered_by,
        on_behalf_of=on_behalf_of,
        channel=channel,
        external_id=external_id,
        payload=payload,
    )


def rollback(
    client_id: int,
    *,
    history_id: int,
    reason: str,
    external_id: str | None = None,
) -> Call[Change]:
    """Undo one recorded change by appending its opposite. Raises RollbackBlocked if a later one
    stands on it.
    """
    return write(
        "rollback",
        Change.from_json,
        {"client_id": client_id, "history_id": history_id, "reason": reason},
        external_id=external_id,
    )
