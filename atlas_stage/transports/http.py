"""What one call over HTTP is: the address, the token, the request, and what its response means."""

import asyncio
import hashlib
import ipaddress
import os
import re
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import uniform
from typing import Any, NoReturn, TypeVar
from uuid import uuid4

import certifi
import httpx

from atlas_stage.arguments import as_json
from atlas_stage.errors import InvalidInput, NotInstalled, StageError, Unauthenticated, Unavailable, from_sqlstate

TIMEOUT_SECONDS = 25.0  # for a whole call, with its repetitions
CONNECT_SECONDS = 5.0
TRIES = 5

Verify = bool | str | ssl.SSLContext
Client = TypeVar("Client", httpx.Client, httpx.AsyncClient)

# Rules of Unavailable. The first says that the call was certainly not made; the others, that repeating is no use.
NEVER_SENT = "unreachable"
NOT_THE_API = "not_the_api"
NOT_TRUSTED = "certificate_not_trusted"

_JSON = {"Accept": "application/json", "Content-Type": "application/json"}
_AWAY = frozenset({429, 502, 503, 504})
_ISSUED = re.compile(r"(atl_[\w-]{43})([0-9a-f]{6})", re.ASCII)  # with a checksum
_HOST = re.compile(rb"[\w.:-]+")
_SENDABLE = re.compile(r"[!-~]{1,512}")


@dataclass(frozen=True)
class Request:
    """A call that is ready to be sent. `repeatable`: sending it twice has the effect of sending it once.

    `headers` has the idempotency key that this package chose, or nothing.
    """

    path: str
    body: bytes
    headers: Mapping[str, str]
    repeatable: bool

    @classmethod
    def of(cls, function: str, arguments: Mapping[str, Any], *, read: bool, keyed: bool) -> "Request":
        """Prepare a call. A write that takes an idempotency key and has none gets one. Raises InvalidInput."""
        parts = [f'"{name}": {as_json(value, name)}' for name, value in arguments.items()]
        try:
            body = f"{{{', '.join(parts)}}}".encode()
        except UnicodeEncodeError as error:
            raise InvalidInput("text must be valid Unicode") from error
        needs_key = keyed and arguments.get("external_id") is None
        headers = {"Idempotency-Key": str(uuid4())} if needs_key else {}
        return cls(f"rpc/{function}", body, headers, read or keyed)

    def pause(self, error: Unavailable, tries: int) -> float | None:
        """The seconds to wait before sending this again after `error`; None if that isn't safe, or no use."""
        no_use = isinstance(error, NotInstalled) or error.rule in (NOT_THE_API, NOT_TRUSTED)
        if no_use or not (self.repeatable or error.rule == NEVER_SENT):
            return None
        return uniform(0, min(2, 0.2 * 2**tries))  # noqa: S311 (callers spread, nothing is secret)

    def read(self, response: httpx.Response) -> Any:
        """The answer's JSON. Raises StageError."""
        if not response.is_success:
            raise _refusal(response)
        try:
            answer = response.json()
        except (ValueError, RecursionError):
            raise _not_the_api(response) from None
        if self.headers and isinstance(answer, dict) and "replayed" in answer:
            # The first answer was lost on the way, so for the caller this one is the first.
            answer["replayed"] = False
        return answer


WHOAMI = Request.of("whoami", {}, read=True, keyed=False)


class OverHttp:
    """What both transports over HTTP have: options that can be pickled, and clients that can't."""

    def __init__(
        self,
        url: str,
        token: str,
        *,
        timeout: float | None = None,
        tries: int = TRIES,
        verify: Verify = True,
    ) -> None:
        self._url, self._verify = _checked_url(url), verify
        bearer = {"Authorization": f"Bearer {checked_token(token)}"}
        self._headers = httpx.Headers(_JSON | bearer)  # its repr hides the token
        self._timeout = TIMEOUT_SECONDS if timeout is None else timeout
        self._tries = tries
        self._begun = False
        self._trusted = _trusted(self._url, verify)
        self._clients: dict[tuple[int, Any], Any] = {}
        self._closing: set[Any] = set()  # clients that close when their last call ends
        self._calls: set[tuple[Any, object]] = set()  # those under way, with their client

    def __reduce__(self) -> Any:
        token = self._headers["Authorization"].removeprefix("Bearer ")
        made = partial(type(self), timeout=self._timeout, tries=self._tries, verify=self._verify)
        return made, (str(self._url), token)

    def _client_of(self, here: tuple[int, Any], kind: type[Client]) -> Client:
        """The client of this process and event loop. A forked process makes its own; those of closed loops go."""
        client: Client | None = self._clients.get(here)
        if client is None:
            for gone in [each for each in self._clients if each[1] and each[1].is_closed()]:
                self._clients.pop(gone, None)
            made = client_of(
                kind,
                base_url=self._url,
                headers=self._headers,
                verify=self._trusted,
                trust_env=not _is_this_machine(self._url),  # no proxy leads there
            )
            client = self._clients.setdefault(here, made)
        return client

    @contextmanager
    def _exchange(self, here: tuple[int, Any], client: Any) -> Iterator[None]:
        """A call on this client, with this package's exceptions.

        After Ctrl-C, which isn't an event loop's, the next call has a new client: httpx can leave a connection in the
        middle of an answer.
        """
        call = client, object()
        self._calls.add(call)
        try:
            yield
        except BaseException as error:
            if known := _unavailable(error):
                raise known from error
            if here[1] is None:
                self._clients.pop(here, None)
            raise
        finally:
            self._calls.discard(call)

    def transaction(self) -> NoReturn:
        """Not over HTTP: raises InvalidInput."""
        message = "a transaction of several calls needs a database connection, and this is HTTP"
        hint = "name the database: --database or ATLAS_DATABASE_URL; or use set_stages, atomic"
        raise InvalidInput(message, hint=hint)


def client_of(kind: type[Client], **options: Any) -> Client:
    """A client of httpx. Raises InvalidInput if it can't use the proxies of the environment."""
    try:
        return kind(**options)
    except (ImportError, ValueError, httpx.InvalidURL):  # their words can have the proxy's password
        message = "the proxy in HTTP_PROXY, HTTPS_PROXY, ALL_PROXY or NO_PROXY can't be used"
        hint = "name it as http://HOST:PORT; socks5:// needs: pip install 'httpx[socks]'"
        raise InvalidInput(message, hint=hint) from None


def place(kind: type) -> tuple[int, Any]:
    """Where the connections of a client belong: to the process and, of an AsyncClient, to the event loop."""
    if kind is httpx.AsyncClient:
        with suppress(RuntimeError):  # a loop of another library than asyncio
            return os.getpid(), asyncio.get_running_loop()
    return os.getpid(), None


def checked_token(token: str) -> str:
    """The token, if it is well-formed: ours end with the beginning of their hash. Raises Unauthenticated without it."""
    token = token.strip()
    if not _SENDABLE.fullmatch(token):
        hint = "a token is one word of at most 512 characters"
        raise Unauthenticated("this cannot be a token", hint=hint)
    if token.startswith("atl_"):
        issued = _ISSUED.fullmatch(token)
        if not issued or hashlib.sha256(issued[1].encode()).hexdigest()[:6] != issued[2]:
            message = "the token is mistyped or cut off: its checksum does not fit"
            raise Unauthenticated(message, hint="copy it again as it was issued")
    return token


def _checked_url(url: str) -> httpx.URL:
    """The API's address. Raises InvalidInput, without a password in it."""
    parsed = read_url(url, "the API's URL")
    if parsed.userinfo or parsed.query or parsed.fragment:
        raise InvalidInput("the API's URL is a host and a path, nothing more")
    return parsed


def read_url(url: str, name: str) -> httpx.URL:
    """A URL of http or https that has a host; `name` is for the error. Raises InvalidInput, without the URL in it."""
    try:
        parsed = httpx.URL(url.strip())
        _ = parsed.host, parsed.raw_host.decode().encode("idna")  # as it will be shown, and looked up
    except (httpx.InvalidURL, UnicodeError):
        raise InvalidInput(f"{name} cannot be read") from None
    if parsed.scheme not in {"http", "https"} or not _HOST.fullmatch(parsed.raw_host):
        raise InvalidInput(f"{name} must begin with http:// or https:// and name a host")
    return parsed


def _is_this_machine(url: httpx.URL) -> bool:
    with suppress(ValueError):
        return ipaddress.ip_address(url.host).is_loopback
    return url.host == "localhost"


def _trusted(url: httpx.URL, verify: Verify) -> bool | ssl.SSLContext:
    """The certificates of SSL_CERT_FILE and SSL_CERT_DIR, else the system's: httpx alone trusts only certifi's."""
    if url.scheme != "https" or verify is False:
        return False
    if isinstance(verify, ssl.SSLContext):
        return verify
    folders = os.environ.get("SSL_CERT_DIR", "").split(os.pathsep)
    named = [os.environ.get("SSL_CERT_FILE"), *folders] if verify is True else [verify]
    paths = [path for path in named if path]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if paths else ssl.create_default_context()
    for path in paths or [certifi.where()]:  # for a system that has none
        try:
            context.load_verify_locations(**{"capath" if Path(path).is_dir() else "cafile": path})
        except OSError as error:
            message = f"the certificates in {path} can't be read: {error.strerror or error}"
            hint = "give a PEM file, or a folder prepared with openssl rehash"
            raise InvalidInput(message, hint=hint) from None
    return context


def _unavailable(error: BaseException) -> Unavailable | None:
    """The exception for one of httpx, without any header; None for all others."""
    words = " ".join(str(error).split()) or type(error).__name__
    match error:
        case httpx.ConnectError() | httpx.ConnectTimeout() | httpx.PoolTimeout():
            message = f"the API can't be reached: {re.sub(r'^.Errno -?[0-9]+. ', '', words)}"
            if "CERTIFICATE_VERIFY_FAILED" not in message:
                hint = "check ATLAS_URL or --url, and that the API runs there"
                return Unavailable(message, rule=NEVER_SENT, hint=hint)
            hint = "set SSL_CERT_FILE to your authority's certificate, or pass its file as verify"
            return Unavailable(message, rule=NOT_TRUSTED, hint=hint)
        case httpx.TimeoutException():
            return Unavailable("the API did not answer in time")
        case httpx.TransportError():
            return Unavailable(f"the connection to the API broke off: {words}")
        case httpx.HTTPError():
            return Unavailable(f"the API's answer cannot be read: {words}")
        case RuntimeError() if "client has been closed" in words:  # by another thread
            return Unavailable("the stage was closed meanwhile", rule=NEVER_SENT)
    return None


def _refusal(response: httpx.Response) -> StageError:
    """The exception for an answer that is no success: by its code, else by its status."""
    try:
        body = response.json()
    except (ValueError, RecursionError):
        body = None
    status = response.status_code
    if not isinstance(body, dict) or not isinstance(body.get("code"), str):
        away = Unavailable(f"the API can't be reached (HTTP {status})")
        return away if status in _AWAY else _not_the_api(response)
    code, message, hint = body["code"], str(body.get("message") or "refused"), body.get("hint")
    if known := from_sqlstate(code, message, body.get("details"), hint):
        return known
    # PostgREST's own: no such function or argument, not JSON …
    kind = Unavailable if status in _AWAY else Unauthenticated if status == 401 else InvalidInput
    if kind is InvalidInput and not 400 <= status < 500:
        return StageError(message, status=status, details={"code": code}, hint=hint)
    return kind(message, details={"code": code}, hint=hint)


def _not_the_api(response: httpx.Response) -> StageError:
    status = f"HTTP {response.status_code}"
    if response.is_redirect:
        status += f", it leads to {response.headers.get('Location', 'nowhere')}"
    message = f"this is not an answer of the stage's API ({status})"
    hint = "check that ATLAS_URL is the API's address"
    return Unavailable(message, rule=NOT_THE_API, hint=hint)
