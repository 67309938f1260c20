"""Finding a client by what people call it."""

from atlas_stage.errors import NotFound
from atlas_stage.models import Client
from atlas_stage.stage import Stage


def find_client(stage: Stage, name: str) -> Client:
    """The client with this id, or exactly this slug. Raises NotFound."""
    if name.isascii() and name.isdigit():
        return stage.client(int(name)).client
    return find_slug(stage, name)


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
