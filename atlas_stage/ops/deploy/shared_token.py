"""The shared token of the firm's old integrations: if it is in the environment, it keeps working as system:legacy."""

import hashlib
import os

from atlas_stage.models import Token
from atlas_stage.ops.deploy.connection import Report
from atlas_stage.stage import Stage
from atlas_stage.transports.psycopg import PsycopgTransport

VARIABLE = "ATLAS_INGEST_TOKEN"
# The installation grants can_admin to this actor.
FIRST_ACTOR = "user:jimmie"


def adopt(stage: Stage, secret: str) -> Token:
    """Keep accepting this token, of which the database gets only the SHA-256. Raises StageError."""
    return stage.adopt_legacy_token(hashlib.sha256(os.fsencode(secret)).hexdigest())


def adopt_shared_token(dsn: str, actor: str, report: Report) -> None:
    """Adopt ATLAS_INGEST_TOKEN, by its hash, as this actor; a changed one replaces it. Raises StageError."""
    secret = os.environ.get(VARIABLE)
    if not secret:
        return
    with Stage(PsycopgTransport(dsn, actor)) as stage:
        adopted = adopt(stage, secret)
    if adopted.state == "revoked":
        report(f"{VARIABLE} is revoked: remove it from the environment")
    else:
        report(f"{VARIABLE} works as {adopted.actor_id} (token {adopted.id})")
