"""PostgREST is run only where it is, byte for byte, the known one: no hash, no fetch, and the cache is no exception."""

from __future__ import annotations

from pathlib import Path

import pytest

from atlas_stage.local.serving import programs


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty cache; and a PATH with nothing on it but an npm that must not be asked."""
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "npm").write_text(f"#!/bin/sh\ntouch {tmp_path / 'asked'}\nexit 1\n")
    (tools / "npm").chmod(0o755)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{tools}:/bin:/usr/bin")
    monkeypatch.delenv("ATLAS_POSTGREST", raising=False)
    monkeypatch.setattr(programs, "_beside_python", lambda _: None)
    return tmp_path


def test_a_changed_one_in_the_cache_is_not_run(cache: Path) -> None:
    cached = programs._cached()
    cached.parent.mkdir(parents=True)
    cached.write_bytes(b"not the known one")

    with pytest.raises(programs.PartError, match="is not the known PostgREST"):
        programs.postgrest(print)


@pytest.mark.parametrize(("system", "machine"), [("linux", "aarch64"), ("darwin", "x86_64"), ("win32", "AMD64")])
def test_where_no_hash_is_known_none_is_fetched(
    cache: Path, monkeypatch: pytest.MonkeyPatch, system: str, machine: str
) -> None:
    monkeypatch.setattr(programs.sys, "platform", system)
    monkeypatch.setattr(programs.platform, "machine", lambda: machine)

    with pytest.raises(programs.PartError, match=r"No hash of a PostgREST for .* is known"):
        programs.postgrest(print)

    assert not (cache / "asked").exists()


def test_one_that_is_named_is_the_callers_own_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATLAS_POSTGREST", "/bin/true")

    assert programs.postgrest(print) == Path("/bin/true")
