"""The shared token of the firm's old integrations, where the environment names it: it works on, as system:legacy."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable

from atlas_stage.stage import Stage
from atlas_stage.transports.psycopg import PsycopgTransport

VARIABLE = "ATLAS_INGEST_TOKEN"
# To whom the installation gives can_admin.
FIRST_ACTOR = "user:jimmie"


def adopt_shared_token(dsn: str, actor: str, report: Callable[[str], None]) -> None:
    """Adopt ATLAS_INGEST_TOKEN, by its hash, as this actor; a changed one takes the place of the one before.

    Raises StageError.
    """
    secret = os.environ.get(VARIABLE)
    if not secret:
        return
    with Stage(PsycopgTransport(dsn, actor)) as stage:
        adopted = stage.adopt_legacy_token(hashlib.sha256(secret.encode()).hexdigest())
    if adopted.state == "revoked":
        report(f"{VARIABLE} was revoked, and stays so: take it out of the environment")
    else:
        report(f"{VARIABLE} works as {adopted.actor_id} (token {adopted.id})")
