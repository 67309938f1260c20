"""Ask whether anything is known against what we depend on; needs a network.

    python tools/audit.py

The Python packages of `[cli,local]` as pip installs them today, by pip-audit, and the board's libraries as they stand
in board/vendor, by `npm audit`. Exits with 1 if a vulnerability is known, or if a source can't be reached.
"""

import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="atlas-audit-") as name:
        return 1 if any([_python(Path(name)), _board(Path(name))]) else 0


def _python(folder: Path) -> int:
    for environment, packages in (("ours", f"{ROOT}[cli,local]"), ("theirs", "pip-audit")):
        venv.create(folder / environment, with_pip=True)
        pip = folder / environment / "bin" / "pip"
        subprocess.run([pip, "install", "--quiet", packages], check=True)
    # what we do not depend on: ourselves, and what every environment begins with
    rest = ("atlas-stage", "setuptools", "pip")
    subprocess.run([folder / "ours/bin/pip", "uninstall", "--quiet", "--yes", *rest], check=True)
    (packages,) = (folder / "ours").glob("lib/python*/site-packages")
    audit = [folder / "theirs/bin/pip-audit", "--path", packages, "--strict"]
    return subprocess.run(audit, check=False).returncode


def _board(folder: Path) -> int:
    libraries = json.loads((ROOT / "board" / "vendor" / "libraries.json").read_text())
    package = {
        "name": "board",
        "version": "1.0.0",
        "private": True,
        "dependencies": {each["package"]: each["version"] for each in libraries},
    }
    (folder / "package.json").write_text(json.dumps(package))
    subprocess.run(
        ["npm", "install", "--package-lock-only", "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=folder,
        check=True,
    )
    return subprocess.run(["npm", "audit"], cwd=folder, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
