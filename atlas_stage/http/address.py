"""Where the API is, and the token that says who asks."""

import hashlib
import ipaddress
import re
from collections.abc import Generator

import httpx

from atlas_stage.errors import InvalidInput, Unauthenticated

_PREFIX = "atl_"
_BODY = len(_PREFIX) + 43
_CHECKSUM = 6
_ISSUED = re.compile(rf"{_PREFIX}[\w-]{{43}}[0-9a-f]{{{_CHECKSUM}}}", re.ASCII)
_HOST = re.compile(rb"[\w.:-]+")
_SENDABLE = re.compile(r"[!-~]{1,512}")


class Bearer(httpx.Auth):
    """Puts the token on each request, and shows it to nobody else."""

    def __init__(self, token: str) -> None:
        self._header = f"Bearer {checked_token(token)}"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """What httpx calls for each request."""
        request.headers["Authorization"] = self._header
        yield request


def checked_token(token: str) -> str:
    """The token, if it can be one: a mistyped one is found out before anybody is asked.

    A token of this system ends with the beginning of its own hash; the shared one of old has no such form. Raises
    Unauthenticated, without the token in it.
    """
    token = token.strip()
    if not _SENDABLE.fullmatch(token):
        raise Unauthenticated(
            "this cannot be a token", hint="a token is one word of at most 512 characters"
        )
    if token.startswith(_PREFIX) and not _sums_up(token):
        raise Unauthenticated(
            "the token is mistyped or cut off: its checksum does not fit",
            hint="copy it again as it was issued",
        )
    return token


def _sums_up(token: str) -> bool:
    if not _ISSUED.fullmatch(token):
        return False
    return hashlib.sha256(token[:_BODY].encode()).hexdigest()[:_CHECKSUM] == token[_BODY:]


def checked_url(url: str) -> httpx.URL:
    """The API's address. Raises InvalidInput, without a password in it."""
    try:
        parsed = httpx.URL(url.strip())
    except httpx.InvalidURL:
        raise InvalidInput("the API's URL cannot be read") from None
    if parsed.scheme not in {"http", "https"} or not _HOST.fullmatch(parsed.raw_host):
        raise InvalidInput("the API's URL must begin with http:// or https:// and name a host")
    if parsed.userinfo or parsed.query or parsed.fragment:
        raise InvalidInput("the API's URL is a host and a path, nothing more")
    return parsed


def is_this_machine(url: httpx.URL) -> bool:
    """Whether the address is this machine's own, where no proxy leads to."""
    try:
        return ipaddress.ip_address(url.host).is_loopback
    except ValueError:
        return url.host == "localhost"
