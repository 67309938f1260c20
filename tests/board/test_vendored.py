"""The libraries in board/vendor are the recorded ones, and the page loads nothing else."""

from __future__ import annotations

import hashlib
import json
import re

from atlas_stage.ops import resources
from tools.vendor_board import LIBRARIES, LICENCES, RECORD

BOARD = resources.root() / "board"
VENDOR = BOARD / "vendor"


def test_each_file_is_the_recorded_one() -> None:
    record = {each["file"]: each for each in json.loads((VENDOR / RECORD).read_text())}
    found = {
        file.relative_to(VENDOR).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in VENDOR.rglob("*.js")
    }
    assert found == {name: each["sha256"] for name, each in record.items()}
    assert {(each["package"], each["version"]) for each in record.values()} == {
        (library.name, library.version) for library in LIBRARIES
    }


def test_each_library_comes_with_its_licence() -> None:
    licences = (VENDOR / LICENCES).read_text()
    assert [library.name for library in LIBRARIES if f"{library.name} {library.version}" not in licences] == []


def test_no_file_of_the_board_names_another_host() -> None:
    named = {
        address
        for file in [*BOARD.glob("*.*"), *(BOARD / "views").glob("*.js")]
        for address in re.findall(r"https?://[\w.-]+", file.read_text())
    }
    assert named <= {"http://www.w3.org"}  # the name of SVG


def test_every_module_is_there() -> None:
    missing = [
        f"{file.name}: {name}"
        for file in BOARD.rglob("*.js")
        for name in re.findall(r"(?:from|import\()\s*\"(\.[^\"]+)\"", file.read_text())
        if not (file.parent / name).is_file()
    ]
    assert missing == []
