"""One request and its response: how a call is sent, and what its answer means."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
from tenacity import (
    retry_if_exception,
    stop_after_attempt,
    stop_after_delay,
    wait_random_exponential,
)

from atlas_stage.arguments import as_json
from atlas_stage.errors import (
    InvalidInput,
    NotInstalled,
    StageError,
    Unauthenticated,
    Unavailable,
    from_sqlstate,
)
from atlas_stage.http.address import Bearer, checked_url, is_this_machine
from atlas_stage.protocol import Work

TIMEOUT_SECONDS = 35.0  # a little more than the database takes before it gives up
CONNECT_SECONDS = 5.0
TRIES = 5

NEVER_SENT = "unreachable"
NOT_THE_API = "not_the_api"

_HEADERS = {"Accept": "application/json", "Content-Type": "application/json"}
_AWAY = frozenset({429, 502, 503, 504})


@dataclass(frozen=True)
class Sending:
    """A call, ready to be sent as often as it takes.

    `repeatable` says that sending it twice is as good as once: a read, or a write with a key. `own_key` says that the
    key was made here.
    """

    path: str
    body: bytes
    headers: Mapping[str, str]
    repeatable: bool
    own_key: bool

    def may_repeat(self, error: BaseException) -> bool:
        """Whether it is safe, and of use, to send this again after `error`."""
        if not isinstance(error, Unavailable) or isinstance(error, NotInstalled):
            return False
        return error.rule == NEVER_SENT or (self.repeatable and error.rule != NOT_THE_API)

    def read(self, response: httpx.Response) -> Any:
        """The answer's JSON. Raises StageError."""
        if not response.is_success:
            raise refusal(response)
        try:
            answer = response.json()
        except ValueError:
            raise _not_the_api(response) from None
        if self.own_key and isinstance(answer, dict) and "replayed" in answer:
            # Its first answer was lost on the way; to the caller this one is the first.
            answer["replayed"] = False
        return answer


def sending(
    function: str, arguments: Mapping[str, Any], *, read: bool, keyed: bool = False
) -> Sending:
    """Make a call ready. A write that takes a key and has none gets one. Raises InvalidInput."""
    for name, value in arguments.items():
        as_json(value, name)
    try:
        body = as_json(dict(arguments), "arguments").encode()
    except UnicodeEncodeError as error:
        raise InvalidInput("text must be valid Unicode") from error
    own_key = keyed and arguments.get("external_id") is None
    headers = {**_HEADERS, "Idempotency-Key": str(uuid4())} if own_key else _HEADERS
    return Sending(f"rpc/{function}", body, headers, read or keyed, own_key)


class OverHttp:
    """What both transports over HTTP have."""

    def transaction(self) -> AbstractContextManager[Work]:
        """Not over HTTP: raises InvalidInput."""
        raise InvalidInput(
            "a transaction of several calls needs a database connection, and this is HTTP",
            hint="name the database: --database or ATLAS_DATABASE_URL; or use set_stages, atomic",
        )


def client_options(url: str, token: str, timeout: float) -> dict[str, Any]:
    """What a client of httpx is made with. Raises InvalidInput, Unauthenticated."""
    address = checked_url(url)
    return {
        "base_url": address,
        "auth": Bearer(token),
        "timeout": httpx.Timeout(timeout, connect=min(timeout, CONNECT_SECONDS)),
        "trust_env": not is_this_machine(address),
    }


def retrying_options(ready: Sending, tries: int, seconds: float) -> dict[str, Any]:
    """When a call is sent again, and for how long."""
    return {
        "retry": retry_if_exception(ready.may_repeat),
        "wait": wait_random_exponential(multiplier=0.2, max=2),
        "stop": stop_after_attempt(tries) | stop_after_delay(seconds),
        "reraise": True,
    }


@contextmanager
def translated() -> Iterator[None]:
    """Turn what httpx raises into the exceptions of this package. They hold no header."""
    try:
        yield
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        raise Unavailable(f"the API cannot be reached: {_words(error)}", rule=NEVER_SENT) from error
    except httpx.TimeoutException as error:
        raise Unavailable("the API did not answer in time") from error
    except httpx.TransportError as error:
        raise Unavailable(f"the connection to the API broke off: {_words(error)}") from error
    except httpx.HTTPError as error:
        raise Unavailable(f"the API's answer cannot be read: {_words(error)}") from error


def refusal(response: httpx.Response) -> StageError:
    """The exception for an answer that is no success: by its code, else by its status."""
    try:
        body = response.json()
    except ValueError:
        body = None
    if isinstance(body, dict) and isinstance(body.get("code"), str):
        code, message = body["code"], str(body.get("message") or "refused")
        known = from_sqlstate(code, message, body.get("details"), body.get("hint"))
        return known or _by_status(response.status_code, code, message, body.get("hint"))
    if response.status_code in _AWAY:
        return Unavailable(f"the API is away (HTTP {response.status_code})")
    return _not_the_api(response)


def _by_status(status: int, code: str, message: str, hint: str | None) -> StageError:
    details = {"code": code}
    if status in _AWAY:
        return Unavailable(message, details=details, hint=hint)
    if status == Unauthenticated.default_status:
        return Unauthenticated(message, details=details, hint=hint)
    if 400 <= status < 500:  # PostgREST's own: no such function or argument, not JSON …
        return InvalidInput(message, details=details, hint=hint)
    return StageError(message, status=status, details=details, hint=hint)


def _not_the_api(response: httpx.Response) -> StageError:
    status = f"HTTP {response.status_code}"
    if response.is_redirect:
        status += f", it leads to {response.headers.get('Location', 'nowhere')}"
    return Unavailable(
        f"this is not an answer of the stage's API ({status})",
        rule=NOT_THE_API,
        hint="see whether ATLAS_URL is the API's address",
    )


def _words(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
