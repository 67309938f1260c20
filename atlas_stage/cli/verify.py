"""`atlas-stage verify`: whether history is what was recorded."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from atlas_stage.cli.base import Exit, session
from atlas_stage.errors import InvalidInput
from atlas_stage.models import Verification
from atlas_stage.ops import checkpoints

_WORDS = {
    "row_altered": "is not as it was recorded",
    "row_missing": "has rows missing before it",
    "hash_missing": "has no hash",
    "client_set_back": "is beyond the version that the client has",
    "client_missing": "belongs to a client that is gone",
    "erasure_not_recorded": "lost its words, and no erasure is on record",
}


def verify(
    ctx: typer.Context,
    client: Annotated[
        str | None, typer.Argument(metavar="[CLIENT]", help="Only this one: its id or slug.")
    ] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            help="Compare with this file; where there is none yet, write one, once all is well."
        ),
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option(
            envvar="ATLAS_CHECKPOINT_KEY_FILE",
            help="The file with the key that signs checkpoints; keep it away from the database.",
        ),
    ] = None,
) -> None:
    """Verify each row of history against its hash; exit 1 where one is not what was recorded."""
    run = session(ctx)
    if checkpoint is not None and (key is None or client is not None):
        raise InvalidInput("a checkpoint is of all clients, and needs --key")
    secret = checkpoints.read_key(key) if checkpoint is not None and key is not None else b""
    rewritten: tuple[int, ...] = ()
    written = False
    with run.stage() as api:
        pages = (
            list(checkpoints.verifications(api)) if client is None else [api.verify_history(client)]
        )
        breaks = [each for page in pages for each in page.breaks]
        if checkpoint is not None and checkpoint.exists():
            rewritten = checkpoints.compare(api, checkpoint, secret).rewritten
        elif checkpoint is not None and not breaks:
            checkpoints.write(api, checkpoint, secret)
            written = True
    if run.output.as_json:
        run.output.json(
            {
                "clients": sum(page.clients for page in pages),
                "rows": sum(page.rows for page in pages),
                "breaks": [each.as_json() for each in breaks],
                "erasures": [each.as_json() for page in pages for each in page.erasures],
                "rewritten": list(rewritten),
            }
        )
    else:
        for line in _said(pages):
            run.output.line(line)
        for first in rewritten:
            run.output.line(f"clients {first} to {first + 99}: rewritten since {checkpoint}")
    if written:
        run.output.aside(f"{checkpoint} holds what history is now: keep it, and its key, elsewhere")
    raise typer.Exit(Exit.REFUSED if breaks or rewritten else Exit.DONE)


def _said(pages: Sequence[Verification]) -> Iterator[str]:
    breaks = [each for page in pages for each in page.breaks]
    for each in breaks:
        words = _WORDS.get(each.problem, each.problem)
        yield f"client {each.client_id}, version {each.version}: {words}"
    clients, rows = sum(page.clients for page in pages), sum(page.rows for page in pages)
    wrong = f"{len(breaks)} not as recorded" if breaks else "as recorded"
    yield f"{rows} rows of {clients} clients: {wrong}"
    for gone in (each for page in pages for each in page.erasures):
        yield (
            f"client {gone.client_id}: words of {gone.rows} rows, to version {gone.last_version},"
            f" were erased by {gone.erased_by}: {gone.reason}"
        )
