"""`atlas-stage verify`: whether history, and the record of administration, are what was recorded."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from atlas_stage.cli.base import Exit, session
from atlas_stage.errors import InvalidInput
from atlas_stage.models import AdministrationVerification, Verification
from atlas_stage.ops import checkpoints

_WORDS = {
    "row_altered": "is not as it was recorded",
    "row_missing": "has rows missing before it",
    "hash_missing": "has no hash",
    "client_set_back": "is beyond the version that the client has",
    "chain_set_back": "is beyond the end that the chain has",
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
    """Verify each row of history and of administration against its hash; exit 1 where one is not what was recorded."""
    run = session(ctx)
    if checkpoint is not None and (key is None or client is not None):
        raise InvalidInput("a checkpoint is of all clients, and needs --key")
    secret = checkpoints.read_key(key) if checkpoint is not None and key is not None else b""
    compared: checkpoints.Comparison | None = None
    written = False
    with run.stage() as api:
        pages = (
            list(checkpoints.verifications(api)) if client is None else [api.verify_history(client)]
        )
        administration = list(checkpoints.administration(api)) if client is None else []
        breaks = [each for page in pages for each in page.breaks]
        broken = bool(breaks) or any(part.breaks for part in administration)
        if checkpoint is not None and checkpoint.exists():
            compared = checkpoints.compare(api, checkpoint, secret)
        elif checkpoint is not None and not broken:
            checkpoints.write(api, checkpoint, secret)
            written = True
    if run.output.as_json:
        run.output.json(
            {
                "clients": sum(page.clients for page in pages),
                "rows": sum(page.rows for page in pages),
                "breaks": breaks,
                "erasures": [each for page in pages for each in page.erasures],
                "administration": {
                    "records": sum(part.records for part in administration),
                    "breaks": [each for part in administration for each in part.breaks],
                },
                "rewritten": list(compared.rewritten) if compared else [],
                "administration_rewritten": compared is not None
                and compared.administration_rewritten,
            }
        )
    else:
        for line in _said(pages):
            run.output.line(line)
        for line in _said_of_administration(administration):
            run.output.line(line)
        for line in _said_of_rewriting(compared, checkpoint):
            run.output.line(line)
    if checkpoint is not None and compared is None:
        run.output.aside(
            f"{checkpoint} was not there, so nothing was compared; "
            + (
                "it holds what history is now: keep it, and its key, elsewhere"
                if written
                else "nor was it written, for not all is as recorded"
            )
        )
    rewritten = compared and (compared.rewritten or compared.administration_rewritten)
    raise typer.Exit(Exit.REFUSED if broken or rewritten else Exit.DONE)


def _said(pages: Sequence[Verification]) -> Iterator[str]:
    breaks = [each for page in pages for each in page.breaks]
    for each in breaks:
        words = _WORDS.get(each.problem, each.problem)
        which = f": {', '.join(each.differs)}" if each.differs else ""
        yield f"client {each.client_id}, version {each.version}: {words}{which}"
    clients, rows = sum(page.clients for page in pages), sum(page.rows for page in pages)
    yield f"{rows} rows of {clients} clients: {_judged(len(breaks))}"
    for gone in (each for page in pages for each in page.erasures):
        yield (
            f"client {gone.client_id}: words of {gone.rows} rows, to version {gone.last_version},"
            f" were erased by {gone.erased_by}: {gone.reason}"
        )


def _said_of_administration(pages: Sequence[AdministrationVerification]) -> Iterator[str]:
    breaks = [each for page in pages for each in page.breaks]
    for each in breaks:
        what = f"at {each.place}" if each.record_id is None else f"record {each.record_id}"
        if each.about is not None:
            what = f"{each.about} {json.dumps(each.key)}"
        yield f"administration, {what}: {_WORDS.get(each.problem, each.problem)}"
    if pages:
        records = sum(page.records for page in pages)
        yield f"{records} records of administration: {_judged(len(breaks))}"


def _said_of_rewriting(
    compared: checkpoints.Comparison | None, checkpoint: Path | None
) -> Iterator[str]:
    for first in compared.rewritten if compared else ():
        yield f"clients {first} to {first + 99}: rewritten since {checkpoint}"
    if compared and compared.administration_rewritten:
        yield f"administration: rewritten since {checkpoint}"


def _judged(breaks: int) -> str:
    return f"{breaks} not as recorded" if breaks else "as recorded"
