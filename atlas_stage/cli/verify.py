"""`atlas-stage verify`: whether the history and the administration record are as they were recorded."""

import json
import re
from collections.abc import Iterator

import typer

from atlas_stage.cli.base import Exit, Session, app, argument, command, option
from atlas_stage.errors import InvalidInput
from atlas_stage.models import Break, DigestPage, Verification
from atlas_stage.ops import evidence

_HASH = "[0-9a-f]{64}"
_DIGEST = rf"atlas-digest/\S+/sha256=({_HASH})?"
_WORDS = {
    "row_altered": "is not as it was recorded",
    "row_missing": "has rows missing before it",
    "hash_missing": "has no hash",
    "client_set_back": "is newer than the client's version",
    "client_missing": "belongs to a client that is gone",
    "client_altered": "differs from the client's history",
    "row_gone": "is gone, and no record says who removed it",
    "row_added": "was added, and no record says who added it",
    "row_changed": "differs from its newest record",
    "erasure_not_recorded": "lost its words, and no erasure is recorded",
}


@command(app)
def verify(
    run: Session,
    client: str | None = argument("Only this client: id or slug.", "[CLIENT]", default=None),
    digest: bool | None = option(
        "Print a digest of everything recorded until now. Keep it where people who can change the database"
        " can't change it."
    ),
    expect: str | None = option("Check that nothing recorded before it changed.", "DIGEST"),
    as_of: str | None = option("The whole digest, if --expect is only its hash.", "DIGEST"),
) -> None:
    """Verify the hash of every row of history and administration. Exits with 1 if one doesn't match."""
    if client is not None and (digest or expect):
        raise InvalidInput("A digest covers all clients. Leave out CLIENT.")
    expect = expect and expect.strip()
    if expect and not re.fullmatch(_DIGEST if as_of is None else f"({_DIGEST}|{_HASH})", expect):
        line = "the whole line that atlas-stage verify --digest printed"
        raise InvalidInput(f"This isn't a digest. Give {line}.")
    found = evidence.verify(run.api) if client is None else run.api.verify(client)
    before = evidence.digest(run.api, as_of or expect).digest if expect else None
    rewritten = before is not None and not before.endswith(expect or "")
    wrong = bool(found.breaks) or rewritten
    made = evidence.digest(run.api) if digest and not wrong else DigestPage()
    answer = found.as_json() | {"rewritten": rewritten} | made.as_json()
    del answer["next"]
    run.output.result(answer, *([made.digest] if made.digest else _lines(found, expect, rewritten)))
    for each in made.open:
        run.output.aside(
            f"not included: what process {each.pid} ({each.login}, {each.program}, database {each.database})"
            " has written and not committed"
        )
    if made.left_out:
        run.output.aside(
            f"not included: {made.left_out} rows newer than the oldest open transaction. Run it on the primary."
        )
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
    if rewritten:
        yield "the digest doesn't match: something recorded before it was rewritten"
    elif expect is not None:
        yield "the digest matches: nothing recorded before it was rewritten"


def _broken(found: Break) -> str:
    words = _WORDS.get(found.problem, found.problem)
    if found.about is not None:
        record = f"record {found.record_id} of " if found.record_id is not None else ""
        return f"administration, {record}{found.about} {json.dumps(found.key)}: {words}"
    which = f": {', '.join(found.differs)}" if found.differs else ""
    return f"client {found.client_id}, version {found.version}: {words}{which}"
