"""Checkpoints of history: what it was at a moment, signed, to be kept where nobody reaches who reaches the database."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from atlas_stage.errors import InvalidInput
from atlas_stage.models import AdministrationVerification, Seal, Verification
from atlas_stage.stage import Stage

_PAGE = 100
_SHORTEST_KEY = 32


@dataclass(frozen=True)
class Comparison:
    """A checkpoint against the database: what was rewritten since."""

    as_of: str
    rewritten: tuple[int, ...]
    """The first ids of the hundreds of clients whose history was."""
    administration_rewritten: bool


def read_key(path: Path) -> bytes:
    """The secret that signs. Raises InvalidInput where there is none, or a short one."""
    try:
        key = path.read_bytes().strip()
    except OSError as error:
        raise InvalidInput(f"the key cannot be read: {error}") from error
    if len(key) < _SHORTEST_KEY:
        raise InvalidInput(
            f"a key has at least {_SHORTEST_KEY} characters",
            hint="make one with: openssl rand -hex 32",
        )
    return key


def verifications(stage: Stage) -> Iterator[Verification]:
    """All histories, page by page."""
    return stage.pages(stage.verify_history, page_size=_PAGE)


def administration(stage: Stage) -> Iterator[AdministrationVerification]:
    """All of the record of administration, page by page."""
    return stage.pages(stage.verify_administration)


def write(stage: Stage, path: Path, key: bytes) -> str:
    """Write a checkpoint of now; the moment that it is of. Raises InvalidInput where the file is there already."""
    as_of, seals = _seals(stage, None)
    *_, last = administration(stage)
    body = {
        "format": 1,
        "as_of": as_of,
        "seals": [_entry(seal) for seal in seals],
        "administration": [last.place, last.sha256],
    }
    text = json.dumps({"checkpoint": body, "hmac_sha256": _signature(body, key)}, indent=1)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text + "\n")
    except OSError as error:
        raise InvalidInput(f"the checkpoint cannot be written: {error}") from error
    return as_of


def compare(stage: Stage, path: Path, key: bytes) -> Comparison:
    """Whether history up to a checkpoint is what it was. Raises InvalidInput for a file that the key did not sign."""
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        body = said["checkpoint"]
        signed = hmac.compare_digest(_signature(body, key), str(said["hmac_sha256"]))
        known = {int(entry[0]): entry for entry in body["seals"]}
        as_of = str(body["as_of"])
        # checkpoints of before have none
        place, sha256 = body.get("administration") or (None, None)
    except (
        OSError,
        ValueError,
        TypeError,
        KeyError,
        IndexError,
        AttributeError,
        RecursionError,
    ) as error:
        raise InvalidInput(f"{path} is no checkpoint: {error}") from error
    if not signed:
        raise InvalidInput(
            f"{path} was not signed with this key, or was changed since",
            hint="take the key that it was made with; if that is the one, somebody changed the file",
        )
    _, seals = _seals(stage, as_of)
    found = {seal.hundred: _entry(seal) for seal in seals}
    rewritten = sorted(
        hundred * 100 for hundred in known | found if known.get(hundred) != found.get(hundred)
    )
    return Comparison(
        as_of,
        tuple(rewritten),
        administration_rewritten=place is not None and _administration_at(stage, place) != sha256,
    )


def _administration_at(stage: Stage, place: int) -> str | None:
    return stage.verify_administration(after=place - 1, page_size=1).sha256


def _seals(stage: Stage, as_of: str | None) -> tuple[str, list[Seal]]:
    seals: list[Seal] = []
    # Later pages are of the same moment as the first.
    first = stage.history_seals(as_of, page_size=_PAGE)
    for page in stage.pages(stage.history_seals, first.as_of, page_size=_PAGE):
        seals += page
    return first.as_of, seals


def _entry(seal: Seal) -> list[Any]:
    return [seal.hundred, seal.clients, seal.rows, seal.sha256]


def _signature(body: object, key: bytes) -> str:
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return hmac.new(key, canonical.encode(), hashlib.sha256).hexdigest()
