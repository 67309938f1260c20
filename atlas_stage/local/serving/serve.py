"""The embedded database, migrated, and its gateway."""

from __future__ import annotations

import os
import shlex
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

from atlas_stage.local.embedded import EmbeddedError, EmbeddedPostgres
from atlas_stage.local.serving.gateway import gateway
from atlas_stage.local.serving.running import only_server, until_told_to_stop, wait_for_an_end
from atlas_stage.ops.deploy import migrate
from atlas_stage.ops.deploy.shared_token import FIRST_ACTOR, adopt_shared_token
from atlas_stage.stage import Stage

_TOKEN_DAYS = 90
_TOKEN_DESCRIPTION = "atlas-stage serve"  # noqa: S105 (its purpose)


def serve(data: Path, tell: Callable[[str], None], port: int, host: str) -> None:
    """Serve `data` at this address until Ctrl-C, SIGTERM or SIGHUP, then stop what was started.

    Writes `<data>/env`, for the shell. Raises DeployError, PartError, and EmbeddedError (also if `data` is already
    being served). If a part ends, the others are stopped.
    """
    with until_told_to_stop(), ExitStack() as parts:
        database = parts.enter_context(EmbeddedPostgres(data, report=tell))
        env = database.data / "env"
        parts.enter_context(only_server(database.data, f"its settings are in {env}"))
        migrate(database.dsn, report=tell)
        adopt_shared_token(database.dsn, FIRST_ACTOR, tell)
        http = parts.enter_context(gateway(database.dsn, database.data, port, tell, host=host))
        settings = {
            "ATLAS_URL": http.url,
            "ATLAS_TOKEN": _new_token(database.dsn),
            "ATLAS_DATABASE_URL": database.dsn,
            "ATLAS_ACTOR": FIRST_ACTOR,
        }
        write_env(env, settings)
        tell(f"serving {database.data} at {http.url}; Ctrl-C stops it")
        tell(f"the board is at {http.url} in a browser: sign in with the ATLAS_TOKEN of {env}")
        tell("in another terminal:")
        tell(f"  set -a; . {shlex.quote(str(env))}; set +a")
        tell('  curl -H "Authorization: Bearer $ATLAS_TOKEN" $ATLAS_URL/api/clients')
        tell("  atlas-stage client list")
        wait_for_an_end(http, database.is_running)
        raise EmbeddedError(f"PostgreSQL has ended. See {database.log}")


def _new_token(dsn: str) -> str:
    """A token of the first actor. Revokes those of earlier starts."""
    with Stage.connect(dsn, FIRST_ACTOR) as stage:
        for token in stage.iter_tokens(FIRST_ACTOR):
            if token.description == _TOKEN_DESCRIPTION and token.state == "active":
                stage.revoke_token(token.id)
        expires_at = datetime.now(UTC) + timedelta(days=_TOKEN_DAYS)
        issued = stage.issue_token(
            FIRST_ACTOR, description=_TOKEN_DESCRIPTION, expires_at=expires_at
        )
    assert issued.token is not None
    return issued.token


def write_env(file: Path, settings: Mapping[str, str]) -> None:
    """Write settings that a shell can read. Only the caller can read the file, and it is never half written."""
    handle, fresh = tempfile.mkstemp(prefix=".env-", dir=file.parent)  # mode 0600
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        out.writelines(f"{name}={shlex.quote(value)}\n" for name, value in settings.items())
    Path(fresh).replace(file)
