"""Write cron/ from the job catalog: what `atlas-stage schedule` writes, with the paths that the runbook uses.

Run it after adding a job to sql/jobs/definitions/catalog.sql: .venv/bin/python tools/cron_files.py
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath

from atlas_stage.local.embedded import EmbeddedPostgres
from atlas_stage.ops.deploy import migrate
from atlas_stage.ops.jobs import Jobs
from atlas_stage.ops.schedule import FILES, Place, wrappers

CRON = Path(__file__).resolve().parent.parent / "cron"
_UNIX = PurePosixPath("/opt/atlas/client-stage")
_WINDOWS = PureWindowsPath(r"C:\Atlas\client-stage")
_ON_UNIX = Place(_UNIX / "cron", _UNIX / ".venv/bin/python")
_ON_WINDOWS = Place(_WINDOWS / "cron", _WINDOWS / ".venv/Scripts/pythonw.exe")
# Task Scheduler and systemd have several files, which go into a folder each.
_FOLDERS = {"windows": "windows/", "systemd": "systemd/"}


def files(jobs: Mapping[str, str]) -> dict[str, bytes]:
    """Every file of cron/, by its path there."""
    made = wrappers(jobs)
    for scheduler, write in FILES.items():
        place = _ON_WINDOWS if scheduler == "windows" else _ON_UNIX
        for name, content in write(jobs, place).items():
            made[_FOLDERS.get(scheduler, "") + name] = content
    return made


def main() -> None:
    """Take the catalog from a new database, and write the files."""
    with tempfile.TemporaryDirectory() as data, EmbeddedPostgres(Path(data)) as server:
        migrate(server.dsn)
        with Jobs(server.dsn) as jobs:
            known = {each["job"]: each["description"] for each in jobs.catalog()}
    for left in (*CRON.glob("*.py"), *CRON.glob("windows/*.xml")):  # of jobs that are gone
        left.unlink()
    for name, content in files(known).items():
        (CRON / name).parent.mkdir(parents=True, exist_ok=True)
        (CRON / name).write_bytes(content)


if __name__ == "__main__":
    main()
