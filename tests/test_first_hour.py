"""From an empty machine to a firm at work, by the eight commands of the README."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path

import httpx
import openpyxl

from atlas_stage.ops import resources
from tests.test_serve import PROGRAM, serving, settings_of

CLIENTS = 52


def commands() -> list[str]:
    text = (resources.root() / "README.md").read_text()
    section = text.partition("## The first hour")[2].partition("\n## ")[0]
    return [line.partition("  #")[0].strip() for line in re.findall(r"^    (.+)$", section, re.MULTILINE)]


def export(path: Path) -> None:
    """A list of customers as QuickBooks exports it, with a column for the owner."""
    book = openpyxl.Workbook()
    for row in (
        ["Blue Heron Bookkeeping"],
        ["Customer Contact List"],
        [],
        ["Customer", "Phone Numbers", "Email", "Owner", "Billing Address"],
        *([f"Customer {n} & Sons", None, None, ["ana", "ben", "eve"][n % 3], None] for n in range(CLIENTS)),
        [],
        ["Sunday, Nov 29, 2026 10:33 AM GMT-06:00"],
    ):
        book.active.append(row)
    book.save(path)


def test_eight_commands_make_a_firm(tmp_path: Path) -> None:
    install, serve, load, *others = commands()
    assert len(others) + 3 <= 8
    assert (install.split()[0], serve.split()[:2]) == ("pip", ["atlas-stage", "serve"])
    export(tmp_path / "customers.xlsx")

    with serving(tmp_path / "atlas") as process:
        said = []
        for command in others:
            line = f"{load}; {command.replace('atlas-stage', shlex.join(PROGRAM), 1)}"
            done = subprocess.run(
                ["sh", "-c", line],
                capture_output=True,
                text=True,
                cwd=tmp_path,
                env=dict(os.environ),
            )
            assert done.returncode == 0, (command, done.stdout, done.stderr)
            said.append(done.stdout)
        assert f"{CLIENTS} new" in said[0]
        url = settings_of(tmp_path / "atlas")["ATLAS_URL"]
        for link in said[-3:]:
            address, _, invite = link.strip().partition("#invite=")
            assert address == f"{url}/board/"
            token = call(url, "accept_invite", invite)["token"]
            queue = call(url, "clients", token, owner=call(url, "whoami", token)["actor_id"])
            assert len(queue["clients"]) >= CLIENTS // 3
        process.terminate()
        assert process.wait(30) == 0


def call(url: str, function: str, token: str, **arguments: str) -> dict[str, object]:
    answer = httpx.post(f"{url}/rpc/{function}", json=arguments, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())
