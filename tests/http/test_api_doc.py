"""docs/api.md is true: every curl in it is run, in its order, against the real stack."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from atlas_stage.ops import resources
from tests.http.api import Api
from tests.support.calls import call, make_client, move

DOC = Path(__file__).parents[2] / "docs" / "api.md"

# The arguments of every change, which the reference lists once.
CONTEXT = {"triggered_by", "on_behalf_of", "channel", "external_id", "payload"}

# A curl and its status; the JSON that follows it at once, if any, is a part of its answer.
_EXAMPLE = re.compile(
    r"^```sh\n(?P<line>.*?)^# (?P<status>\d{3})\n```\n(?:\n```json\n(?P<answer>.*?)^```\n)?",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Example:
    """A curl of the document."""

    line: str
    status: int
    answer: Any


def examples() -> list[Example]:
    return [
        Example(each["line"], int(each["status"]), json.loads(each["answer"] or "{}"))
        for each in _EXAMPLE.finditer(DOC.read_text())
    ]


def test_every_curl_answers_as_it_says(own_api: Api) -> None:
    shell = os.environ | {"ATLAS_URL": own_api.url, "ATLAS_TOKEN": own_api.admin}
    for example in examples():
        status, answer = _run(example, shell)
        assert status == example.status, (example.line, answer)
        _assert_holds(answer, example.answer, example.line)
        shell |= _said(answer)


def test_the_keys_of_an_answer_are_those_in_the_reference(connect: Callable[[], psycopg.Connection]) -> None:
    db = connect()
    client = make_client(db, stage="weekly")
    move(db, client, "eom_close")
    move(db, client, "eom_review")
    said = {
        name: set(re.findall(r"`(\w+)`", re.sub(r"\([^()]*\)", "", keys)))
        for name, keys in re.findall(r"^\| ([a-z ]+) \| (`\w+`.*) \|$", DOC.read_text(), re.MULTILINE)
    }
    row = call(db, "stage_history", client_id=client)["history"][-1]
    month = call(db, "closes_by_month")["months"][0]
    answers = {
        "client": call(db, "client", client_id=client)["client"],
        "history row": row,
        "close": call(db, "closes", month=row["close_period"])["closes"][0],
        "month of closes": month,
        "entry of the feed": call(db, "changes")["changes"][-1],
        "entry of the activity": call(db, "activity")["activity"][0],
        "item of a queue": call(db, "queue")["queue"][0],
        "grant": call(db, "permissions")["permissions"][0],
        "record of administration": call(db, "administration")["records"][0],
    }
    extended = {"entry of the feed", "entry of the activity"}
    wrong = {
        name: sorted((said[name] | (set(row) if name in extended else set())) ^ set(answer))
        for name, answer in answers.items()
    }
    assert not any(wrong.values()), wrong


def test_every_function_and_path_has_its_curl(dsn: str) -> None:
    lines = "".join(example.line for example in examples())
    with psycopg.connect(dsn) as db:
        query = """
            select p.proname, p.proargnames is null and p.pronargs > 0
            from pg_proc p
            where p.pronamespace = 'api'::regnamespace
        """
        functions = dict(db.execute(query).fetchall())
    for function, behind_a_path in functions.items():
        if not behind_a_path and function not in ("health", "openapi"):
            assert re.search(rf"/rpc/{function}\b", lines), function
    for method, path in (
        (None, r"/api/clients\?"),
        (None, r"/api/clients/1\""),
        ("PATCH", r"/api/clients/1/stage\""),
        ("POST", r"/api/clients/1/flags/\w+\""),
        ("DELETE", r"/api/clients/1/flags/\w+\""),
        (None, r"/api/clients/1/stage_history\?limit="),
        ("POST", r"/api/clients/1/stage_history/\$ROW/rollback\""),
        (None, r"/api/agents/[\w:]+/queue\?"),
    ):
        said = f"-X {method} " if method else ""
        assert re.search(rf'curl -s {said}"\$ATLAS_URL{path}', lines), path


def test_every_block_of_the_shell_is_run() -> None:
    assert DOC.read_text().count("```sh\n") == len(examples()) > 40


def test_every_rule_is_in_it_as_the_catalog_has_it(db: psycopg.Connection) -> None:
    text = DOC.read_text()
    for rule, status, message, hint in db.execute("select rule, status, message, hint from rules.violation_catalog()"):
        assert f"| `{rule}` | {status} | {message} | {hint} |\n" in text


def test_the_reference_has_every_function_with_its_arguments(db: psycopg.Connection) -> None:
    text = DOC.read_text()
    query = """
        select p.proname, a.name, format_type(a.type, null), a.nth > p.pronargs - p.pronargdefaults,
          pg_get_function_arg_default(p.oid, a.nth::integer)
        from pg_proc p
        left join lateral unnest(p.proargnames, p.proargtypes::oid[])
          with ordinality as a (name, type, nth) on true
        where p.pronamespace = 'api'::regnamespace and (p.pronargs = 0 or p.proargnames is not null)
        order by p.proname, a.nth
    """
    arguments: dict[str, list[str]] = {}
    rows = db.execute(query).fetchall()
    names: dict[str, set[str]] = {}
    for function, name, *_ in rows:
        names.setdefault(function, set()).add(name)
    for function, name, kind, is_optional, default in rows:
        found = arguments.setdefault(function, [])
        if name in CONTEXT and "payload" in names[function]:
            found.append("*context*")
        elif name is not None:
            found.append(_as_documented(name, kind, is_optional=is_optional, default=default))
    for function, found in arguments.items():
        written = ", ".join(each for i, each in enumerate(found) if each not in found[:i])
        assert re.search(rf"^\| `{function}` \| (read|write) \| {re.escape(written)} \|", text, re.MULTILINE), (
            function,
            written,
        )


def _as_documented(name: str, kind: str, *, is_optional: bool, default: str | None) -> str:
    """A required argument is bold; a default that is null is left out."""
    kind = kind.replace("timestamp with time zone", "timestamptz")
    if not is_optional:
        return f"**`{name}`** {kind}"
    value = (default or "").split("::")[0].strip("'")
    return f"`{name}` {kind}" + ("" if value == "NULL" else f" = {value}")


def test_the_reference_has_the_words_and_the_settings(db: psycopg.Connection) -> None:
    text = DOC.read_text()
    for stage, kind, days in db.execute("select stage, kind, max_days from stages"):
        assert f"| `{stage}` | {kind} | {days or 'none'} |" in text
    for flag, set_by in db.execute("select flag, set_by from stage_flags"):
        assert f"| `{flag}` | {', '.join(f'`{each}`' for each in set_by)} |" in text
    fields = "select argument, field, permission, is_clearable from rules.field_catalog()"
    for argument, field, permission, is_clearable in db.execute(fields):
        emptied = "yes" if is_clearable else "no"
        row = rf"^\| `{argument}` \| `{field}` \| .* \| `{permission}` \| {emptied} \|$"
        assert re.search(row, text, re.MULTILINE), argument
    words = """
        select conname, found.word[1]
        from pg_constraint
        cross join regexp_matches(pg_get_constraintdef(oid), '''([a-z_]+)''::text', 'g')
          as found (word)
        where conname in (
          'agent_permissions_permission_check', 'stage_history_channel_check',
          'stage_history_trigger_type_check', 'clients_service_tier_check',
          'clients_close_cadence_check', 'clients_sales_tax_schedule_check'
        )
    """
    for check, word in db.execute(words):
        assert f"`{word}`" in text, (check, word)
    settings = """
        select attname from pg_attribute
        where attrelid = 'stage_settings'::regclass and attnum > 1 and not attisdropped
    """
    for (setting,) in db.execute(settings):
        assert f"| `{setting}` | " in text, setting


def test_the_gateway_refuses_in_the_words_of_the_catalog(db: psycopg.Connection) -> None:
    caddyfile = (resources.root() / "gateway" / "Caddyfile").read_text()
    refusals = re.findall(r'import refuse (\d+) (\w+) "(.*?)" "(.*?)" ', caddyfile)
    catalog = db.execute("select status::text, rule, message, hint from rules.violation_catalog()")
    assert refusals
    assert set(refusals) <= set(catalog.fetchall())


def _run(example: Example, shell: dict[str, str]) -> tuple[int, Any]:
    with_status = "curl() { command curl --noproxy '*' -w '\\n%{http_code}' \"$@\"; }\n"
    done = subprocess.run(
        ["bash", "-euc", with_status + example.line],
        env=shell,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, (example.line, done.stderr)
    body, _, status = done.stdout.rpartition("\n")
    return int(status), json.loads(body)


def _assert_holds(actual: Any, documented: Any, where: str) -> None:
    """Whether everything documented is so; the answer may say more, and `details` is JSON text."""
    if isinstance(documented, dict):
        assert isinstance(actual, dict), where
        for key, value in documented.items():
            assert key in actual, (where, key, actual)
            said, told = actual[key], value
            if key == "details" and isinstance(value, str):
                said, told = json.loads(said), json.loads(value)
            _assert_holds(said, told, where)
    elif isinstance(documented, list):
        assert len(actual) == len(documented), (where, actual)
        for each, told in zip(actual, documented, strict=True):
            _assert_holds(each, told, where)
    else:
        assert actual == documented, where


def _said(answer: Any) -> dict[str, str]:
    """The values of the document's variables after this answer."""
    if not isinstance(answer, dict):
        return {}
    issued = isinstance(answer.get("token"), str)
    found = {
        "VERSION": (answer.get("client") or {}).get("version"),
        "ROW": (answer.get("history") or {}).get("id") if "changed" in answer else None,
        "GRANT": (answer.get("permission") or {}).get("id"),
        "NEW_TOKEN": answer["token"] if issued else None,
        "TOKEN_ID": answer["id"] if issued else None,
    }
    return {name: str(value) for name, value in found.items() if value is not None}
