"""`atlas-stage watch`: post changes and findings to a webhook."""

import os
from pathlib import Path
from typing import Annotated

import typer

from atlas_stage import connecting
from atlas_stage.cli.base import Session, app, command, completes, option
from atlas_stage.errors import InvalidInput
from atlas_stage.stage import Stage


@command(
    app,
    kind=option("Only these: sign_off_wanted, sent_back, late, job_failed …", kind=list[str]),
    stage=option("Only clients in these stages.", kind=list[str], **completes("STAGE")),
    owner=option("Only clients of these owners.", kind=list[str], **completes("ACTOR")),
    digest=option("daily: one message per person, at 7 in the morning."),
    once=option("Post what there is, and end.", "--once", kind=bool),
)
def watch(
    run: Session,
    post: Annotated[
        str, typer.Option(metavar="URL", envvar="ATLAS_WEBHOOK_URL", help="Where to post.")
    ],
    state: Annotated[
        Path, typer.Option(metavar="FILE", help="Where it stopped, and what is to be sent.")
    ] = Path("atlas-watch.json"),
    every: Annotated[float, typer.Option(min=0.1, help="Seconds between two looks.")] = 5,
    digest: str | None = None,
    once: bool | None = None,
    **only: list[str] | None,
) -> None:
    """Post every change, and what is late or wrong, to a webhook: at least once, in order.

    It needs ATLAS_URL, ATLAS_TOKEN and ATLAS_WEBHOOK_SECRET. The first start begins with what happens from then on.
    """
    from atlas_stage.ops import notices

    if digest not in (None, "daily"):
        raise InvalidInput(f"--digest can't be {digest}. Use daily.")
    secret = os.environ.get(notices.SECRET, "")
    api = run.keep(Stage.connect(url=connecting.address(run.url, None)[0]))
    words = {name: each or () for name, each in only.items()}
    watching = notices.Watch(
        api, post, secret, state, only=words, digest=bool(digest), tell=run.output.aside
    )
    watching.run(every=every, once=bool(once))
