"""Which way a `Stage` goes: HTTP or psycopg, from what is given and what the environment names."""

import os

from atlas_stage.errors import InvalidInput, Unauthenticated
from atlas_stage.http import HttpTransport
from atlas_stage.transport import PsycopgTransport, Transport

URL, TOKEN, DATABASE = "ATLAS_URL", "ATLAS_TOKEN", "ATLAS_DATABASE_URL"


def transport_for(
    dsn: str | None, actor: str | None, url: str | None, token: str | None
) -> Transport:
    """The transport for what is given, which wins over the environment; where the environment names
    both ways, HTTP.
    """
    over_database, over_http = dsn or actor, url or token
    if over_database and over_http:
        raise InvalidInput(
            "give the API's URL, or a database and an actor, not both",
            hint="over HTTP the token says who acts",
        )
    if over_http or (http_is_named() and not over_database):
        return HttpTransport(*address(url, token))
    return PsycopgTransport(dsn, actor)


def http_is_named() -> bool:
    """Whether the environment leads to the HTTP API: it names it, and a token or nothing else."""
    return bool(os.environ.get(URL)) and bool(os.environ.get(TOKEN) or not os.environ.get(DATABASE))


def address(url: str | None, token: str | None) -> tuple[str, str]:
    """The API's URL and the token, from the environment where they are not given."""
    url = url or os.environ.get(URL)
    token = token or os.environ.get(TOKEN)
    if not url:
        raise InvalidInput("no API is named", hint=f"give its URL, or set {URL}")
    if not token:
        raise Unauthenticated("no token is given", hint=f"set {TOKEN}")
    return url, token
