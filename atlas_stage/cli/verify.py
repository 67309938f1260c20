"""`atlas-stage verify`: whether history and the record of administration are what was recorded."""

import json
import re
from collections.abc import Iterator
from typing import Annotated

import typer

from atlas_stage.cli.base import Exit, session
from atlas_stage.errors import InvalidInput
from atlas_stage.models import Break, DigestPage, Verification
from atlas_stage.ops import evidence

_HASH = "[0-9a-f]{64}"
_DIGEST = rf"atlas-digest/\S+/sha256=({_HASH})?"
_WORDS = {
    "row_altered": "is not as it was recorded",
    "row_missing": "has rows missing before it",
    "hash_missing": "has no hash",
    "client_set_back": "is beyond the version that the client has",
    "client_missing": "belongs to a client that is gone",
    "client_altered": "is not what its history makes of it",
    "row_gone": "is gone, and no record says who removed it",
    "row_added": "is there, and no record says who added it",
    "row_changed": "is not what its newest record says",
    "erasure_not_recorded": "lost its words, and no erasure is on record",
}


def verify(
    ctx: typer.Context,
    client: Annotated[
        str | None, typer.Argument(metavar="[CLIENT]", help="Only this client: its id or slug.")
    ] = None,
    digest: Annotated[
        bool,
        typer.Option(
            "--digest",
            help="Print one line that stands for everything recorded up to now. Keep it where nobody who can change"
            " the database can change it.",
        ),
    ] = False,
    expect: Annotated[
        str | None,
        typer.Option(
            metavar="DIGEST",
            help="Also check that nothing up to the moment of this digest changed.",
        ),
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option(
            metavar="DIGEST",
            help="The digest with the moment, if DIGEST is only the hash at its end.",
        ),
    ] = None,
) -> None:
    """Verify each row of history and of administration against its hash; exit 1 if one is not what was recorded."""
    run = session(ctx)
    if client is not None and (digest or expect):
        raise InvalidInput("a digest covers all clients", hint="leave out the client")
    expect = expect and expect.strip()
    if expect and not re.fullmatch(_DIGEST if as_of is None else f"({_DIGEST}|{_HASH})", expect):
        raise InvalidInput(
            "this is not a digest",
            hint="give the whole line that atlas-stage verify --digest printed",
        )
    with run.stage() as api:
        found = evidence.verify(api) if client is None else api.verify(client)
        before = evidence.digest(api, as_of or expect).digest if expect else None
        rewritten = before is not None and not before.endswith(expect or "")
        wrong = bool(found.breaks) or rewritten
        made = evidence.digest(api) if digest and not wrong else DigestPage()
    if run.output.as_json:
        run.output.json(
            {
                **{name: each for name, each in found.as_json().items() if name != "next"},
                "rewritten": rewritten,
                **{name: made.as_json()[name] for name in ("digest", "open", "left_out")},
            }
        )
    else:
        for line in [made.digest] if made.digest else _lines(found, expect, rewritten):
            run.output.line(line)
    for line in _left_out(made):
        run.output.aside(line)
    if digest and wrong:
        run.output.aside("no digest was made: not everything is as recorded")
    raise typer.Exit(Exit.REFUSED if wrong else Exit.DONE)


def _lines(found: Verification, expect: str | None, rewritten: bool) -> Iterator[str]:
    breaks = found.breaks
    yield from map(_broken, breaks)
    counts = f"{found.rows} rows of {found.clients} clients"
    if found.records:
        counts += f", {found.records} records of administration"
    yield f"{counts}: {len(breaks)} not as recorded" if breaks else f"{counts}: as recorded"
    for gone in found.erasures:
        yield (
            f"client {gone.client_id}: words of {gone.rows} rows, to version {gone.last_version},"
            f" were erased by {gone.erased_by}: {gone.reason}"
        )
    if expect is not None:
        yield (
            "the digest doesn't match: something recorded before it was rewritten"
            if rewritten
            else "the digest matches: nothing recorded before it was rewritten"
        )


def _broken(found: Break) -> str:
    if found.about is not None:
        what = f"{found.about} {json.dumps(found.key)}"
        if found.record_id is not None:
            what = f"record {found.record_id} of {what}"
        return f"administration, {what}: {_WORDS.get(found.problem, found.problem)}"
    which = f": {', '.join(found.differs)}" if found.differs else ""
    words = _WORDS.get(found.problem, found.problem)
    return f"client {found.client_id}, version {found.version}: {words}{which}"


def _left_out(made: DigestPage) -> Iterator[str]:
    for each in made.open:
        yield (
            f"left out: what process {each.pid} ({each.login}, {each.program}, database {each.database})"
            " has written and not committed"
        )
    if made.left_out:
        yield f"left out: {made.left_out} rows newer than the oldest open transaction; ask the leader"
