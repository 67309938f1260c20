"""Generate the methods of the API's functions, and the synchronous modules from their asynchronous sources.

The methods are `async_api.py`, from `sql/api/` and the records of `models.py`, which say which function returns them.
The synchronous modules are `Stage` and its transport over HTTP. None is committed. Every build makes them (a hook of
hatch, also for an editable install), and so does every run of the tests. Alone: python tools/generate.py
"""

import ast
import os
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import indent
from typing import Any

import unasync
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "atlas_stage"
API = "async_api.py"
MADE = {API: "api.py", "async_stage.py": "stage.py", "transports/async_http.py": "transports/sync_http.py"}
WORDS = {
    "AsyncStage": "Stage",
    "AsyncApi": "Api",
    "AsyncConnecting": "Connecting",
    "Later": "Now",
    "AsyncHttpTransport": "HttpTransport",
    "AsyncClient": "Client",
    "aclose": "close",
    "anyio": "time",
    "async_api": "api",
}
TYPES = {
    "bigint": "int",
    "bigint[]": "Sequence[int]",
    "boolean": "bool",
    "date": "str",
    "integer": "int",
    "jsonb": "Json",
    "text": "str",
    "text[]": "Sequence[str]",
    "timestamptz": "datetime",
    "uuid": "str",
}
# The gateway's, and what turns a slug into an id, which every method does.
NO_METHODS = {"client_id", "openapi", "read", "write"}
# A file of sql/api/: its name, arguments, head, body and COMMENT. Another form is an error, because a guess would leave
# out an argument or take the COMMENT of another function.
FUNCTION = re.compile(
    r"create or replace function api\.(\w+)\((.*?)\)\n(returns .*?)\nas \$\$\n(.*)\n\$\$;\n\n"
    r"comment on function api\.\1\([^)]*\) is\n'((?:[^']|'')+)';\n",
    re.DOTALL,
)
ARGUMENT = re.compile(r"(\w+) +([a-z\[\]]+)( default [^,]+)?")
# The types of arguments by name.
NAMED = {"client_id": "ClientName", "client_ids": "Sequence[int | models.Client]", "items": "Sequence[Json]"}
HEAD = '''"""A method for each function of schema `api`. tools/generate.py wrote this file."""
# mypy: disable-error-code="no-any-return"

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from atlas_stage import models
from atlas_stage.arguments import ClientName, Json
from atlas_stage.connecting import AsyncConnecting


class AsyncApi(AsyncConnecting):
    """The functions of schema `api`."""

    _call: Any
'''


def make() -> None:
    """Write the modules that are out of date."""
    _write(PACKAGE / API, methods().encode())
    with TemporaryDirectory() as folder:
        for source, target in MADE.items():
            copy = Path(folder, source)
            copy.parent.mkdir(exist_ok=True)
            copy.write_bytes((PACKAGE / source).read_bytes())
            unasync.unasync_files([str(copy)], [unasync.Rule(source, target, WORDS)])
            _write(PACKAGE / target, Path(folder, target).read_bytes())


def _write(file: Path, content: bytes) -> None:
    if not file.exists() or file.read_bytes() != content:
        # In one step: other processes of a test run do the same.
        new = file.with_suffix(f".{os.getpid()}")
        new.write_bytes(content)
        new.replace(file)


def methods() -> str:
    """The module with the methods: one for each file of `sql/api/`."""
    answers = _answers()
    files = {file.stem: file.read_text("utf-8") for file in sorted((ROOT / "sql" / "api").glob("*.sql"))}
    if unknown := answers.keys() - files.keys():
        raise ValueError(f"atlas_stage/models.py: no file of sql/api/ is named {', '.join(sorted(unknown))}")
    made = (_method(name, files[name], *answers.get(name, ("Json", ""))) for name in files.keys() - NO_METHODS)
    return HEAD + "".join(sorted(made))


def _answers() -> dict[str, tuple[str, str]]:
    """By function: the type that it returns, and the key of it in the answer, if it is a part."""
    found = {}
    for record in ast.parse((PACKAGE / "models.py").read_text("utf-8")).body:
        for each in record.keywords if isinstance(record, ast.ClassDef) else ():
            if each.arg in ("answers", "pages"):
                kind = f"models.{record.name}"
                for function, _, key in (name.partition(".") for name in ast.literal_eval(each.value).split()):
                    found[function] = kind if each.arg == "answers" else f"models.Page[{kind}]", key
    return found


def _method(name: str, source: str, kind: str, key: str) -> str:
    form = FUNCTION.fullmatch(source)
    if not form or form[1] != name:
        raise ValueError(
            f"sql/api/{name}.sql: write it like sql/api/hand_over.sql: one function with the file's name, then its"
            " COMMENT, with the same line breaks and small letters"
        )
    _, parameters, head, body, comment = form.groups()
    lines = re.sub(r" *--.*", "", parameters).strip().splitlines()
    arguments = [_argument(name, each.strip().removesuffix(",")) for each in lines]
    # Optional arguments are named, except for the first.
    named = next((place for place, each in enumerate(arguments) if place and "=" in each), None)
    if named is not None:
        arguments.insert(named, "*")
    read = "\nstable" in head or name == "whoami"  # which only records that the token was used
    keyed = bool(re.search(r"rules\.(earlier_answer|change_many)", body))
    said = re.sub(r"(?s)\s+(Returns|Errors:) .*", "", comment).replace("''", "'").replace("\n", "\n\n", 1)
    said = said.replace("\\", r"\\").replace('"', r"\"")
    return f'''
    async def {name}({", ".join(["self", *arguments])}) -> {kind}:
        """{indent(said, " " * 8).strip()}"""
        return await self._call("{name}", vars(), {kind}, {key or None!r}, read={read}, keyed={keyed})
'''


def _argument(function: str, line: str) -> str:
    form = ARGUMENT.fullmatch(line)
    if not form or form[2] not in TYPES:
        raise ValueError(
            f"sql/api/{function}.sql: can't read the argument {line!r}. Write one per line, such as"
            f" `page_size integer default 20`, with one of the types {', '.join(TYPES)}"
        )
    name, kind, default = form[1], NAMED.get(form[1]) or TYPES[form[2]], form[3]
    if not default:
        return f"{name}: {kind}"
    # None isn't sent, except in place of another default.
    return f"{name}: {kind} | None = {'true' in default or None}"


class Hook(BuildHookInterface[Any]):
    """What hatch runs before each build."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Generate them, and let the build take them although git ignores them."""
        make()
        build_data["artifacts"] += [f"/atlas_stage/{each}" for each in (API, *MADE.values())]


if __name__ == "__main__":
    make()
