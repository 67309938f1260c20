"""What the commands look up: a client by what people call it, and the firm's time zone."""

from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from atlas_stage.errors import InvalidInput, NotFound, StageError
from atlas_stage.models import Client
from atlas_stage.stage import Stage


def find_client(stage: Stage, name: str) -> Client:
    """The client with exactly this slug, or this id. Raises NotFound; InvalidInput where two fit."""
    if not (name.isascii() and name.isdigit()):
        return find_slug(stage, name)
    by_id = _if_there(lambda: stage.client(int(name)).client)
    by_slug = _if_there(lambda: find_slug(stage, name))
    if by_id and by_slug and by_id.id != by_slug.id:
        raise InvalidInput(
            f"{name} is the id of one client and the slug of another",
            details={"id_of": by_id.slug, "slug_of": by_slug.id},
            hint=f"say {by_id.slug} for the one, {by_slug.id} for the other",
        )
    return by_slug or by_id or stage.client(int(name)).client


def _if_there(find: Callable[[], Client]) -> Client | None:
    try:
        return find()
    except NotFound:
        return None


def find_slug(stage: Stage, slug: str) -> Client:
    """The client with exactly this slug, inactive ones too. Raises NotFound."""
    for client in stage.iter_clients(search=slug, active=None, page_size=1000):
        if client.slug == slug:
            return client
    raise NotFound(
        "no client has this slug",
        rule="client_not_found",
        details={"slug": slug},
        hint="look it up: atlas-stage client list --all --search TEXT",
    )


def firm_zone(stage: Stage) -> tzinfo:
    """The time zone in which the firm thinks; this machine's, where the database does not say it to us."""
    for ask in (_zone_of_settings, _zone_of_summary):
        try:
            return ZoneInfo(ask(stage))
        except (StageError, ZoneInfoNotFoundError):
            continue
    return datetime.now().astimezone().tzinfo or UTC


def _zone_of_settings(stage: Stage) -> str:
    """Cheap, but only over a database connection that may read the settings."""
    with stage.transaction() as work:
        row = work.connection.execute("select time_zone from public.stage_settings").fetchone()
    return str(row[0])


def _zone_of_summary(stage: Stage) -> str:
    return stage.summary().time_zone
