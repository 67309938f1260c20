"""`Stage`: the functions of schema `api` as methods, with the same names and the same argument
names.

Every method is one transaction (or a part of `Stage.transaction()`), answers with a dataclass of
`models` and raises a `StageError` of `errors`. An optional argument that is None is left to the
default of the database.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Concatenate, ParamSpec, Self, TypeVar

from atlas_stage.calls import Call, Walk, registry, stages
from atlas_stage.connecting import transport_for
from atlas_stage.methods import described
from atlas_stage.transport import Transport, Work

P = ParamSpec("P")
T = TypeVar("T")


def _method(make: Callable[P, Call[T]]) -> Callable[Concatenate["Stage", P], T]:
    def method(stage: "Stage", /, *args: P.args, **arguments: P.kwargs) -> T:
        return stage.ask(make(*args, **arguments))

    return described(method, make)


def _iterator(make: Callable[P, Walk[T]]) -> Callable[Concatenate["Stage", P], Iterator[T]]:
    def method(stage: "Stage", /, *args: P.args, **arguments: P.kwargs) -> Iterator[T]:
        walk = make(*args, **arguments)
        items, place = stage.ask(walk.page(walk.start))
        yield from items
        while place is not None:
            items, place = stage.ask(walk.page(place))
            yield from items

    return described(method, make, Iterator)


class Stage:
    """Clients in their stages. Use it as a context manager, or call `close()` at the end.

    with Stage.connect() as stage: client = stage.client(7).client stage.set_stage(7,
    to_stage="eom_close", reason="May is over", expected_version=client.version)

    The methods stand in `atlas_stage.calls`. `AsyncStage` has the same ones as coroutines.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    @classmethod
    def connect(
        cls,
        dsn: str | None = None,
        actor: str | None = None,
        *,
        url: str | None = None,
        token: str | None = None,
    ) -> Self:
        """A stage over HTTP or over psycopg; nothing is opened before the first call.

        `url` and `token` (default: ATLAS_URL, ATLAS_TOKEN) lead to the HTTP API, and the token says
        who acts. `dsn` (default: ATLAS_DATABASE_URL) is a PostgreSQL URL or connection string;
        `actor` is who acts there (default: ATLAS_ACTOR, else what the login role stands for), and
        only members of atlas_operator may name someone. What is given wins over the environment;
        where the environment names both, it is HTTP. Raises InvalidInput, and Unauthenticated for a
        token that cannot be one.
        """
        return cls(transport_for(dsn, actor, url, token))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connection."""
        self._transport.close()

    def transaction(self) -> AbstractContextManager[Work]:
        """Do the calls inside together or not at all. Nested, it can fail or be discarded by
        itself.

        with stage.transaction() as work: … work.discard()      # a dry run: the calls answered
        under the real rules, and nothing stays

        Over psycopg only: over HTTP it raises InvalidInput.
        """
        return self._transport.transaction()

    def ask(self, call: Call[T]) -> T:
        """Carry out a call of `atlas_stage.calls`."""
        answer = self._transport.call(call.function, call.arguments, read=call.read)
        return call.decode(answer)

    clients = _method(stages.clients)
    iter_clients = _iterator(stages.iter_clients)
    client = _method(stages.client)
    stage_history = _method(stages.stage_history)
    iter_history = _iterator(stages.iter_history)
    queue = _method(stages.queue)
    check_stage = _method(stages.check_stage)
    whoami = _method(stages.whoami)

    set_stage = _method(stages.set_stage)
    set_stages = _method(stages.set_stages)
    set_flag = _method(stages.set_flag)
    clear_flag = _method(stages.clear_flag)
    rollback = _method(stages.rollback)

    create_client = _method(registry.create_client)
    update_client = _method(registry.update_client)

    grant_permission = _method(registry.grant_permission)
    revoke_permission = _method(registry.revoke_permission)
    permissions = _method(registry.permissions)
    iter_permissions = _iterator(registry.iter_permissions)

    issue_token = _method(registry.issue_token)
    revoke_token = _method(registry.revoke_token)
    tokens = _method(registry.tokens)
    iter_tokens = _iterator(registry.iter_tokens)
    adopt_legacy_token = _method(registry.adopt_legacy_token)
