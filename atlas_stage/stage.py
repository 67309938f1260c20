"""The functions of schema `api` as methods, with the same names and the same argument names.

Every method is one transaction (or a part of `Stage.transaction()`), answers with a dataclass of `models` and raises a
`StageError` of `errors`. An optional argument that is None is left to the default of the database. `client_id` is a
client's id or its slug, which takes one more read; text made of ASCII digits is an id. Lists and items take ids only.

`async_stage.py` is written by hand; tools/make_sync.py makes `stage.py` from it.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar, Unpack

from atlas_stage import models
from atlas_stage.arguments import (
    ClientName,
    Context,
    Fields,
    Filters,
    Instant,
    Json,
    Whole,
    as_id,
    checked,
)
from atlas_stage.connecting import Connecting

Answer = TypeVar("Answer", bound=models.Record)
Arguments = Mapping[str, Any]


class Stage(Connecting):
    """Clients in their stages. Begin with `connect()`; use it as a context manager, or call `close()` at the end.

    `Stage` goes over psycopg or HTTP. `AsyncStage` has the same methods as coroutines, over HTTP; many of its calls may
    be under way at a time.
    """

    # -- reading

    def clients(
        self, stage: str | None = None, *, active: bool | None = True, **filters: Unpack[Filters]
    ) -> models.ClientPage:
        """A page of clients; all filters must fit. `active` None takes the inactive ones too; `stage` may be several,
        with commas between them; `sort` is `id`, `age` or `sla`, and `next_cursor` leads to the next page.
        """
        return self._read("clients", models.ClientPage, locals())

    def iter_clients(
        self, stage: str | None = None, *, active: bool | None = True, **filters: Unpack[Filters]
    ) -> Iterator[models.Client]:
        """All clients that fit the filters of `clients`, page after page."""
        more = True
        while more:
            page = self.clients(stage, active=active, **filters)
            for client in page.clients:
                yield client
            filters = {**filters, "after": None, "cursor": page.next_cursor}
            more = page.next_cursor is not None

    def client(self, client_id: ClientName) -> models.ClientView:
        """A client and its latest history row. Raises NotFound."""
        return self._read("client", models.ClientView, locals())

    def stage_history(
        self,
        client_id: ClientName,
        *,
        page_size: Whole | None = None,
        before_version: Whole | None = None,
    ) -> models.HistoryPage:
        """The latest rows of a client's history (before `before_version`), oldest first."""
        return self._read("stage_history", models.HistoryPage, locals())

    def iter_history(
        self, client_id: ClientName, *, page_size: Whole | None = None
    ) -> Iterator[models.HistoryRow]:
        """The whole history of a client, newest first, page after page."""
        before, more = None, True
        while more:
            page = self.stage_history(client_id, page_size=page_size, before_version=before)
            for row in reversed(page.history):
                yield row
            before = page.next_before_version
            more = before is not None

    def queue(
        self,
        actor_id: str | None = None,
        *,
        page_size: Whole | None = None,
        after: str | None = None,
    ) -> tuple[models.QueueItem, ...]:
        """What the actor (default: the caller) should do next, most pressing first."""
        return (self._read("queue", models.QueuePage, locals())).queue

    def closes(
        self,
        month: str | None = None,
        *,
        state: str | None = None,
        owner: str | None = None,
        after: Whole | None = None,
        page_size: Whole | None = None,
    ) -> models.ClosePage:
        """How the close of a month (`YYYY-MM`; default: the one that is open) stands, client by client."""
        return self._read("closes", models.ClosePage, locals())

    def closes_by_month(
        self, months: Whole | None = None, *, month: str | None = None
    ) -> tuple[models.MonthCloses, ...]:
        """The closes of the last months (default: 6) up to `month` in numbers, each by owner too; the oldest first."""
        return (self._read("closes_by_month", models.ClosesByMonth, locals())).months

    def changes(
        self,
        after: str | None = None,
        *,
        actor_id: str | None = None,
        client_id: ClientName | None = None,
        stage: str | None = None,
        since: Instant | None = None,
        page_size: Whole | None = None,
    ) -> models.Feed:
        """The firm's history from a cursor on, each change once; `cursor` of the answer goes into `after`."""
        return self._read("changes", models.Feed, locals())

    def check_stage(self, client_id: ClientName, *, to_stage: str) -> models.Check:
        """Would this move be allowed? Names every rule against it; changes nothing."""
        return self._read("check_stage", models.Check, locals())

    def check_stages(self, client_ids: Sequence[Whole]) -> models.ClientMoves:
        """Where the caller may move each of these clients, at most 200, and what else it may do with it."""
        return self._read("check_stages", models.ClientMoves, locals())

    def summary(self) -> models.Summary:
        """How many active clients there are by stage, owner, flag and attention."""
        return self._read("summary", models.Summary, locals())

    def whoami(self) -> models.Actor:
        """Who the database says is asking."""
        return self._read("whoami", models.Actor, locals())

    # -- changing

    def set_stage(
        self,
        client_id: ClientName,
        *,
        to_stage: str,
        reason: str,
        expected_version: Whole,
        override: bool | None = None,
        **context: Unpack[Context],
    ) -> models.Change:
        """Move a client. `expected_version` is the version that was read: VersionConflict if it is another by now."""
        return self._change("set_stage", models.Change, locals())

    def set_stages(self, items: Sequence[Json], *, atomic: bool | None = None) -> models.Outcomes:
        """Move many clients in one call: each item holds the arguments of `set_stage` and has its own outcome.

        With `atomic` one refusal refuses all.
        """
        return self._change("set_stages", models.Outcomes, locals())

    def set_flags(self, items: Sequence[Json]) -> models.Outcomes:
        """Set or clear a flag on many clients in one call: each item has `client_id`, `flag`, `set` and what else
        `set_flag` takes, and its own outcome.
        """
        return self._change("set_flags", models.Outcomes, locals())

    def set_flag(
        self,
        client_id: ClientName,
        *,
        flag: str,
        reason: str | None = None,
        **context: Unpack[Context],
    ) -> models.Change:
        """Set a flag; setting what is set answers `changed` False."""
        return self._change("set_flag", models.Change, locals())

    def clear_flag(
        self,
        client_id: ClientName,
        *,
        flag: str,
        reason: str | None = None,
        **context: Unpack[Context],
    ) -> models.Change:
        """Clear a flag; clearing what is not set answers `changed` False."""
        return self._change("clear_flag", models.Change, locals())

    def rollback(
        self,
        client_id: ClientName,
        *,
        history_id: Whole,
        reason: str,
        external_id: str | None = None,
    ) -> models.Change:
        """Undo one recorded change by appending its opposite. Raises RollbackBlocked if a later one stands on it."""
        return self._change("rollback", models.Change, locals())

    # -- clients

    def create_client(
        self,
        name: str,
        *,
        slug: str,
        stage: str | None = None,
        reason: str | None = None,
        **fields: Unpack[Fields],
    ) -> models.Change:
        """Take on a client. `notes` are the notes of its stage; its slug must be free."""
        return self._change("create_client", models.Change, locals())

    def update_client(
        self,
        client_id: ClientName,
        *,
        reason: str | None = None,
        expected_version: Whole | None = None,
        clear: Sequence[str] | None = None,
        **fields: Unpack[Fields],
    ) -> models.Change:
        """Change fields of a client. `clear` names the arguments to empty: owner, collaborators, notes, reviewers."""
        return self._change("update_client", models.Change, locals())

    def delete_client(self, client_id: ClientName, *, reason: str) -> models.DeletedClient:
        """Take out a client that was made by mistake. Raises Conflict once it has a history."""
        return (self._write("delete_client", models.Deletion, locals())).deleted

    def rollback_run(self, run_id: Whole, *, reason: str) -> models.RunRollback:
        """Take back what a run of a job changed; what something later stands on is named and stays."""
        return self._write("rollback_run", models.RunRollback, locals())

    # -- grants

    def grant_permission(
        self, actor_id: str, *, permission: str, scope: Json | None = None, notes: str | None = None
    ) -> models.PermissionChange:
        """Grant a permission; `scope` None does not restrict it."""
        return self._write("grant_permission", models.PermissionChange, locals())

    def revoke_permission(self, permission_id: Whole) -> models.PermissionChange:
        """Revoke a grant by its id; it stays on record."""
        return self._write("revoke_permission", models.PermissionChange, locals())

    def permissions(
        self,
        actor_id: str | None = None,
        *,
        include_revoked: bool | None = None,
        after: Whole | None = None,
        page_size: Whole | None = None,
    ) -> models.PermissionPage:
        """A page of grants by id."""
        return self._read("permissions", models.PermissionPage, locals())

    def iter_permissions(
        self, actor_id: str | None = None, *, include_revoked: bool | None = None
    ) -> Iterator[models.Permission]:
        """All grants, page after page."""
        after, more = None, True
        while more:
            page = self.permissions(actor_id, include_revoked=include_revoked, after=after)
            for permission in page.permissions:
                yield permission
            after = page.next_after
            more = after is not None

    # -- tokens

    def issue_token(
        self,
        actor_id: str,
        *,
        description: str | None = None,
        expires_at: Instant | None = None,
        never_expires: bool | None = None,
    ) -> models.IssuedToken:
        """Issue a token. Its secret is in this answer and nowhere else."""
        return self._write("issue_token", models.IssuedToken, locals())

    def revoke_token(self, token_id: str) -> models.Token:
        """Revoke a token by its id; it stays on record."""
        return (self._write("revoke_token", models.TokenChange, locals())).token

    def tokens(
        self,
        actor_id: str | None = None,
        *,
        after: str | None = None,
        page_size: Whole | None = None,
    ) -> models.TokenPage:
        """A page of tokens, without their secrets."""
        return self._read("tokens", models.TokenPage, locals())

    def iter_tokens(self, actor_id: str | None = None) -> Iterator[models.Token]:
        """All tokens, page after page."""
        after, more = None, True
        while more:
            page = self.tokens(actor_id, after=after)
            for token in page.tokens:
                yield token
            after = page.next_after
            more = after is not None

    def adopt_legacy_token(self, token_hash: str) -> models.Token:
        """Let the shared token of old work as system:legacy; `token_hash` is its SHA-256 in hex."""
        return (self._write("adopt_legacy_token", models.TokenChange, locals())).token

    # -- the record of administration

    def administration(
        self,
        about: str | None = None,
        *,
        actor_id: str | None = None,
        before_id: Whole | None = None,
        page_size: Whole | None = None,
    ) -> models.AdministrationPage:
        """Who changed grants, tokens, settings and rules, the newest first; `about` names one table."""
        return self._read("administration", models.AdministrationPage, locals())

    # -- evidence

    def verify(
        self,
        client_id: ClientName | None = None,
        *,
        after: str | None = None,
        page_size: Whole | None = None,
    ) -> models.Verification:
        """Whether everything is what was recorded: one client, or a page of all clients and then of administration."""
        return self._read("verify", models.Verification, locals())

    def digest(
        self,
        as_of: str | None = None,
        *,
        after: str | None = None,
        page_size: Whole | None = None,
    ) -> models.DigestPage:
        """A page on the way to one line that stands for everything up to now, or up to the moment of digest `as_of`."""
        return self._read("digest", models.DigestPage, locals())

    def erase_words(self, client_id: ClientName, *, reason: str) -> models.Erasure:
        """Erase what people wrote into a client's history and its notes; what was changed, when and by whom stays."""
        return (self._write("erase_words", models.ErasureDone, locals())).erasure

    # -- how a method is carried out; `arguments` are its locals()

    def _read(self, function: str, answer: type[Answer], arguments: Arguments) -> Answer:
        """It changes nothing."""
        return self._call(function, answer, arguments, read=True)

    def _change(self, function: str, answer: type[Answer], arguments: Arguments) -> Answer:
        """It changes something, and a key makes it repeatable."""
        return self._call(function, answer, arguments, read=False, keyed=True)

    def _write(self, function: str, answer: type[Answer], arguments: Arguments) -> Answer:
        """It changes something, and doing it twice is not as good as once."""
        return self._call(function, answer, arguments, read=False)

    def _call(
        self,
        function: str,
        answer: type[Answer],
        arguments: Arguments,
        *,
        read: bool,
        keyed: bool = False,
    ) -> Answer:
        sent = checked(getattr(type(self), function), arguments)
        if isinstance(named := sent.get("client_id"), str):
            sent["client_id"] = as_id(named) or self._transport.call(
                "client_id", {"client": named}, read=True
            )
        said = self._transport.call(function, sent, read=read, keyed=keyed)
        return answer.from_json(said)
