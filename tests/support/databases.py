"""Databases for tests: an empty one, or a clone of a template that is migrated once per worker.

ATLAS_TEST_TEMPLATE names a database of the server to take as the template (`make try`).
"""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Callable, Iterator

import psycopg
from psycopg import sql

from atlas_stage.ops.deploy import migrate
from tests.support.old_atlas import make_old_atlas


class Databases:
    """Makes databases on one server; `close` drops the templates. Each other one is dropped by its `with`."""

    def __init__(self, server_dsn: str) -> None:
        self._server_dsn = server_dsn
        self._numbers = itertools.count(1)
        self._given = os.environ.get("ATLAS_TEST_TEMPLATE")
        self._template = self._given
        self._upgraded: str | None = None

    def close(self) -> None:
        for template in (self._template, self._upgraded):
            if template is not None and template != self._given:
                self._drop(template)

    @contextlib.contextmanager
    def empty(self) -> Iterator[str]:
        with self._database(template="template0") as name:
            yield self.dsn_of(name)

    @contextlib.contextmanager
    def clone(self) -> Iterator[str]:
        if self._template is None:
            self._template = self._migrated_template()
        with self._database(template=self._template) as name:
            yield self.dsn_of(name)

    @contextlib.contextmanager
    def upgraded(self) -> Iterator[str]:
        """A clone of an old Atlas that was migrated: 0.05 s of CPU, where a deploy takes a second."""
        if self._upgraded is None:
            self._upgraded = self._migrated_template(make_old_atlas)
        with self._database(template=self._upgraded) as name:
            yield self.dsn_of(name)

    def dsn_of(self, name: str) -> str:
        """The server's DSN with another database, as a URL."""
        base, _, query = self._server_dsn.partition("?")
        scheme, _, rest = base.partition("://")
        host, _, _ = rest.partition("/")
        return f"{scheme}://{host}/{name}" + (f"?{query}" if query else "")

    def _migrated_template(self, fill: Callable[[str], None] = lambda _: None) -> str:
        name = self._name("template")
        self._create(name, "template0")
        fill(self.dsn_of(name))
        migrate(self.dsn_of(name))
        return name

    @contextlib.contextmanager
    def _database(self, template: str) -> Iterator[str]:
        name = self._name("db")
        self._create(name, template)
        try:
            yield name
        finally:
            self._drop(name)

    def _name(self, kind: str) -> str:
        return f"atlas_test_{os.getpid()}_{kind}_{next(self._numbers)}"

    def _create(self, name: str, template: str) -> None:
        with self._server() as connection:
            connection.execute(
                sql.SQL("create database {} template {} encoding 'UTF8' strategy file_copy").format(
                    sql.Identifier(name), sql.Identifier(template)
                )
            )

    def _drop(self, name: str) -> None:
        with self._server() as connection:
            connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))

    def _server(self) -> psycopg.Connection:
        return psycopg.connect(self._server_dsn, autocommit=True)
