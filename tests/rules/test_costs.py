"""What a caller can make a function cost: bounded by the request, linear in it, and little without a grant."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from psycopg import sql

from tests.support.calls import ADMIN

pytestmark = pytest.mark.slow

NOBODY = "user:nobody"
CLIENTS = 1000
# Below this a measurement says more about the machine than about the function.
FLOOR = 0.005
BODY = 5_000_000  # bytes: the gateway passes nothing larger on

FUNCTIONS = """
select
  p.proname::text,
  array(
    select format_type(t.type, null) from unnest(p.proargtypes) with ordinality as t (type, nth) order by t.nth
  ),
  coalesce(p.proargnames[:p.pronargs]::text[], array_fill(''::text, array[p.pronargs])),
  p.pronargs - p.pronargdefaults
from pg_proc p
where p.pronamespace = 'api'::regnamespace
  and p.proname <> 'health'
order by 1
"""

# Required arguments, so that a call reaches the work; other texts are 'x', other numbers 1.
REQUIRED: dict[str, Any] = {
    "to_stage": "eom_close",
    "flag": "advisory_due",
    "expected_version": 0,
    "actor_id": "user:x",
    "permission": "can_set_flag",
    "token_hash": "a" * 64,
    "client_ids": "{1}",
    "items": "[]",
    "never_expires": True,
}
BY_TYPE: dict[str, Any] = {
    "text": "x",
    "jsonb": "{}",
    "json": "{}",
    "bytea": "{}",
    "bigint[]": "{1}",
    "text[]": "{user:x}",
    "boolean": True,
    "timestamp with time zone": "2026-01-01",
}


Statement = tuple[sql.Composed | sql.SQL, dict[str, Any]]


@dataclass(frozen=True)
class Function:
    """A function of api: the types of its arguments, and which it needs."""

    name: str
    types: dict[str, str]
    required: list[str]

    def call(self, **arguments: Any) -> Statement:
        values = {name: REQUIRED.get(name, BY_TYPE.get(self.types[name], 1)) for name in self.required} | arguments
        given = [
            sql.SQL("{}{}").format(
                sql.SQL("{} => ").format(sql.Identifier(name)) if name else sql.SQL(""),
                sql.SQL("convert_to({}::text, 'UTF8')" if self.types[name] == "bytea" else "{}::text::{}").format(
                    sql.Placeholder(name or "body"), sql.SQL(self.types[name])
                ),
            )
            for name in values
        ]
        texts = {name or "body": str(value) for name, value in values.items()}
        return sql.SQL("select api.{}({})").format(sql.Identifier(self.name), sql.SQL(", ").join(given)), texts


def texts(size: int) -> dict[str, str]:
    """Long texts: one word, a list of stages, a cursor, a search."""
    return {
        "one word": "x" * size,
        "stages": "weekly," * (size // 7),
        "digits": "1." * (size // 2),
        "words": "ab cd " * (size // 6),
        "colons": "user:a" + ":" * size,
    }


def bodies(size: int) -> dict[str, str]:
    """JSON of so many bytes: much of one kind of value."""
    return {
        "numbers": '{"a": [' + ",".join(["1"] * (size // 2)) + "]}",
        "items of numbers": '[{"client_id": 1, "payload": {"a": [' + ",".join(["1"] * (size // 2)) + "]}}]",
        "keys": "{" + ",".join(f'"k{n}":1' for n in range(size // 10)) + "}",
        "a text": json.dumps({"a": "x" * size}),
    }  # fmt: skip


def items(function: str, count: int, *, distinct: bool) -> str:
    """Items that the function could make changes of."""
    word = (
        {"to_stage": "eom_close", "expected_version": 0}
        if function == "set_stages"
        else {"flag": "advisory_due", "set": True}
    )
    return json.dumps([{"client_id": n if distinct else 1, "reason": "because", **word} for n in range(1, count + 1)])


def shapes(function: Function, argument: str, *, times: int) -> dict[str, str]:
    """What a caller may put into the argument, `times` as large as the smallest that is measured."""
    kind = function.types[argument]
    if kind == "text":
        return texts(25_000 * times)
    if kind == "bigint[]":
        return {
            "within the limit": "{" + ",".join(str(n) for n in range(1, 20 * times + 1)) + "}",
            "too many": "{" + ",".join(str(n) for n in range(1, 5_000 * times)) + "}",
        }
    if kind == "text[]":
        return {
            "within the limit": "{" + ",".join(f"user:a{n}" for n in range(10 * times)) + "}",
            "too many": "{" + ",".join(f"user:a{n}" for n in range(5_000 * times)) + "}",
            "long ones": "{" + "x" * 20_000 * times + "}",
        }
    if kind in ("jsonb", "json", "bytea"):
        made = bodies(50_000 * times)
        if argument == "items":
            made["moves"] = items(function.name, 100 * times, distinct=True)
            made["moves of one client"] = items(function.name, 20 * times, distinct=False)
        return made
    return {}


@pytest.fixture(scope="module")
def firm(dsn: str) -> Iterator[psycopg.Connection]:
    """A firm with clients; the session's own actor is what `rules.act_as` says."""
    with psycopg.connect(dsn, autocommit=True) as made:
        with made.transaction():
            made.execute("set local session_replication_role = replica")
            made.execute(
                "insert into clients (name, slug, stage)"
                f" select 'Client ' || n, 'slug-' || n, 'weekly' from generate_series(1, {CLIENTS}) n"
            )
            made.execute(
                "insert into stage_history"
                " (client_id, version, to_stage, actor_type, actor_id, channel, trigger_type, reason)"
                " select id, 0, stage, 'system', 'system:install', 'psql', 'manual', 'made' from clients"
            )
        made.execute("vacuum (analyze) clients")
        yield made


@pytest.fixture(scope="module")
def functions(firm: psycopg.Connection) -> list[Function]:
    return [
        Function(name, dict(zip(names, types, strict=True)), names[:required])
        for name, types, names, required in firm.execute(FUNCTIONS)
    ]


def used(db: psycopg.Connection) -> float:
    """Seconds of processor time that the session's backend has used; where it cannot be read, the clock."""
    try:
        row = db.execute("select pg_read_file('/proc/self/schedstat')").fetchone()
    except psycopg.Error:
        return time.perf_counter()
    assert row is not None
    return int(row[0].split()[0]) / 1e9


def cost(
    db: psycopg.Connection,
    statement: Statement,
    *,
    actor: str = ADMIN,
    key: str | None = None,
    tries: int = 3,
) -> float:
    """Seconds that a statement takes, whatever it answers; the shortest of some tries. Nothing of it is kept."""
    took = []
    for _ in range(tries):
        begun = used(db)
        with contextlib.suppress(psycopg.Error), db.transaction(force_rollback=True):
            db.execute("select rules.act_as(%s)", (actor,))
            if key is not None:
                headers = json.dumps({"idempotency-key": key})
                db.execute("select set_config('request.headers', %s, true)", (headers,))
            db.execute(*statement).fetchone()
        took.append(used(db) - begun)
    return min(took)


def parsing(kind: str, value: str) -> Statement:
    """What PostgreSQL alone does to read an argument of that type."""
    kind = "jsonb" if kind in ("json", "bytea") else kind
    return sql.SQL("select {}::text::{} is null").format(sql.Placeholder("value"), sql.SQL(kind)), {"value": value}


def to_parse(db: psycopg.Connection, kind: str, value: str, tries: int) -> float:
    """Seconds that PostgreSQL alone takes to read an argument.

    Known from the last time if there is to be one try; more tries are compared with the same minute of the machine.
    """
    known = (kind, hash(value))
    if tries > 1 or known not in _parsed:
        _parsed[known] = cost(db, parsing(kind, value), tries=tries)
    return _parsed[known]


_parsed: dict[tuple[str, int], float] = {}


def is_linear(
    db: psycopg.Connection,
    kind: str,
    small: tuple[Statement, str],
    large: tuple[Statement, str],
    **as_caller: Any,
) -> str | None:
    """None if the large call costs at most twelve times the small one; else what they cost.

    To read the value of the argument isn't counted: PostgreSQL doesn't do that in linear time.
    """
    # What looks slow is measured again: other load passes, a slow function stays slow.
    for tries in (1, 2, 5):
        once, often = (
            cost(db, called, tries=tries, **as_caller) - to_parse(db, kind, value, tries)
            for called, value in (small, large)
        )
        if often <= 12 * max(once, FLOOR):
            return None
    return f"{once:.4f} s, {often:.4f} s"


@pytest.mark.parametrize(("actor", "key"), [(ADMIN, "key-1"), (NOBODY, None)])
def test_ten_times_the_input_costs_at_most_twelve_times(
    firm: psycopg.Connection, functions: list[Function], actor: str, key: str | None
) -> None:
    slow = []
    for function in functions:
        for argument, kind in function.types.items():
            large = shapes(function, argument, times=10)
            for shape, small_value in shapes(function, argument, times=1).items():
                costs = is_linear(
                    firm,
                    kind,
                    *((function.call(**{argument: value}), value) for value in (small_value, large[shape])),
                    actor=actor,
                    key=key,
                )
                if costs is not None:
                    slow.append(f"{function.name}({argument}: {shape}) {costs}")

    assert not slow, "\n".join(slow)


def test_a_function_that_takes_quadratic_time_is_found(firm: psycopg.Connection) -> None:
    with firm.transaction(force_rollback=True):
        firm.execute(
            "create function api.careless(body text) returns bigint language sql as"
            " $$ select count(*) from generate_series(1, (length(body) / 300) * (length(body) / 300)) $$"
        )
        careless = Function("careless", {"body": "text"}, ["body"])
        calls = [(careless.call(body="x" * size), "x" * size) for size in (40_000, 400_000)]
        assert is_linear(firm, "text", *calls) is not None


def test_without_a_grant_the_largest_body_costs_no_more_than_twice_its_parsing(
    firm: psycopg.Connection, functions: list[Function]
) -> None:
    largest = bodies(BODY)
    dear = []
    for function in functions:
        for argument, kind in function.types.items():
            if kind not in ("jsonb", "json", "bytea"):
                continue
            for shape, body in largest.items():
                called = function.call(**{argument: body})
                for tries in (1, 3, 6):
                    parsed = to_parse(firm, kind, body, tries)
                    took = cost(firm, called, actor=NOBODY, key="key-1", tries=tries)
                    if took <= 2 * max(parsed, FLOOR):
                        break
                else:
                    dear.append(f"{function.name}({argument}: {shape}) {parsed:.3f} s, {took:.3f} s")

    assert not dear, "\n".join(dear)


@pytest.mark.parametrize("number", ["1", "-0.25"])
@pytest.mark.parametrize("function", ["set_stages", "set_flags"])
def test_a_keyed_batch_of_many_numbers_is_answered_at_once(
    firm: psycopg.Connection, function: str, number: str
) -> None:
    body = '[{"client_id": 1, "payload": {"a": [' + ",".join([number] * 800_000) + "]}}]"
    called = sql.SQL("select api.{}(items => %(body)s::text::jsonb)").format(sql.Identifier(function))

    took = cost(firm, (called, {"body": body}), key="key-1")
    assert took - cost(firm, parsing("jsonb", body)) < 0.3


@pytest.mark.parametrize("number", ["12345.678", "{}"])
def test_the_check_of_a_json_s_size_costs_little_for_the_largest_that_is_kept(
    firm: psycopg.Connection, number: str
) -> None:
    check = sql.SQL("select rules.is_small_json(%(value)s::text::jsonb, 65536)")
    largest, larger = ("[" + ",".join([number] * count) + "]" for count in (5_000, 500_000))

    assert cost(firm, (check, {"value": largest})) < 0.02
    for tries in (3, 6, 12):
        # It is too large, and that is all that is looked at.
        parsed = to_parse(firm, "jsonb", larger, tries)
        took = cost(firm, (check, {"value": larger}), tries=tries)
        if took <= 1.5 * parsed:
            return
    pytest.fail(f"{parsed:.3f} s to parse, {took:.3f} s to check")
