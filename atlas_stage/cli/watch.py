"""`atlas-stage watch`: post changes and findings to a webhook."""

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from atlas_stage import connecting
from atlas_stage.cli.base import Session, app, command, completes
from atlas_stage.errors import InvalidInput
from atlas_stage.stage import Stage


class Digest(StrEnum):
    """How often a digest is sent."""

    DAILY = "daily"


@command(app)
def watch(
    run: Session,
    post: Annotated[
        str,
        typer.Option(metavar="URL", envvar="ATLAS_WEBHOOK_URL", help="Where to post."),
    ],
    state: Annotated[
        Path, typer.Option(metavar="FILE", help="Where it stopped, and what is to be sent.")
    ] = Path("atlas-watch.json"),
    kind: Annotated[
        list[str] | None,
        typer.Option(help="Only these: sign_off_wanted, sent_back, stuck, late, job_failed …"),
    ] = None,
    stage: Annotated[
        list[str] | None,
        typer.Option(help="Only clients in these stages.", **completes("STAGE")),
    ] = None,
    owner: Annotated[
        list[str] | None,
        typer.Option(help="Only clients of these owners.", **completes("ACTOR")),
    ] = None,
    digest: Annotated[
        Digest | None, typer.Option(help="One message per person, at 7 in the morning.")
    ] = None,
    every: Annotated[float, typer.Option(min=0.1, help="Seconds between two looks.")] = 5,
    once: Annotated[bool, typer.Option("--once", help="Post what there is, and end.")] = False,
) -> None:
    """Post every change, and what is late or wrong, to a webhook: at least once, in order.

    It needs ATLAS_URL, ATLAS_TOKEN and ATLAS_WEBHOOK_SECRET. The first start begins with what happens from then on.
    """
    from atlas_stage.ops.notices import SECRET, Only, Watch

    secret = os.environ.get(SECRET, "")
    if not secret:
        raise InvalidInput(f"{SECRET} isn't set.", hint="set it to the secret of the receiver")
    api = run.keep(Stage.connect(url=connecting.address(run.url, None)[0]))
    only = Only(kind or (), stage or (), owner or ())
    watching = Watch(
        api, post, secret, state, only=only, digest=digest is not None, tell=run.output.aside
    )
    watching.run(every=every, once=once)
