"""The files that a deploy reads: which ones, in which order, and their hashes."""

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

from atlas_stage.ops.deploy.connection import DeployError

SCHEMAS = ("rules", "api", "jobs", "ops")
# Schemas and types come first, triggers and grants last. In between: each schema after those it uses, by path.
_FIRST, _LAST = ("schemas.sql", "types.sql"), ("triggers.sql", "grants.sql")
# What a deploy runs, and what people run: not stored logic.
_NOT_DEPLOYED = ("deploy", "examples")


def logic_files(folder: Path) -> list[Path]:
    """The files of the stored logic, in the order in which to run them.

    Raises DeployError for a missing file, and for one in a folder that is never run.
    """
    ordered = [folder / name for name in _FIRST]
    for schema in SCHEMAS:
        ordered += sorted((folder / schema).rglob("*.sql"))
    ordered += [folder / name for name in _LAST]
    aside = {file for name in _NOT_DEPLOYED for file in (folder / name).rglob("*.sql")}
    for file in sorted(set(folder.rglob("*.sql")) - set(ordered) - aside):
        raise DeployError(f"{label(file, folder)} is in none of the folders {', '.join(SCHEMAS)}")
    for file in ordered:
        if not file.is_file():
            raise DeployError(f"{label(file, folder)} is missing")
    return ordered


def logic_hash(folder: Path) -> str:
    """SHA-256 of the paths and contents of all files of the stored logic."""
    lines = [f"{label(file, folder)} {content_hash(file)}\n" for file in logic_files(folder)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def content_hash(file: Path) -> str:
    """SHA-256 of a text file; the line endings of the checkout don't count."""
    return hashlib.sha256(file.read_bytes().replace(b"\r\n", b"\n")).hexdigest()


def words(files: Iterable[Path]) -> list[str]:
    """Every word in the files, sorted."""
    return sorted({word for file in files for word in re.findall(r"\w+", file.read_text())})


def label(file: Path, folder: Path) -> str:
    """The file's name in messages."""
    return f"sql/{file.relative_to(folder).as_posix()}"
