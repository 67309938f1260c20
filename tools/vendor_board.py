"""Fetch the libraries of the board from npm into board/vendor/, and record what they are.

Run it after a change of vendor_board.toml: python tools/vendor_board.py. A package from npm must have the integrity
that is listed there. Nothing is built: files are copied, and what only a bundler understands is replaced: import
names by paths, and the environment variable by its value.
"""

import base64
import hashlib
import json
import re
import subprocess
import tarfile
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

VENDOR = Path(__file__).resolve().parent.parent / "board" / "vendor"
RECORD = "libraries.json"
LICENCES = "LICENCES.txt"


@dataclass(frozen=True)
class Library:
    """A package of npm, and which of its files the board takes under which name."""

    name: str
    version: str
    integrity: str
    files: dict[str, str]


_LISTED = tomllib.loads(Path(__file__).with_suffix(".toml").read_text())
LIBRARIES = tuple(Library(**each) for each in _LISTED["library"])

# Import names, and the files that replace them.
_PATHS = {"preact": "./preact.js", "d3-path": "./d3-path.js"}
_IMPORT = re.compile(r"(?<=from)\"([^\"./][^\"]*)\"")
_BUILT_FOR = "process.env.NODE_ENV"
_SOURCE_MAP = re.compile(r"^//# sourceMappingURL=.*$", re.MULTILINE)


def main() -> None:
    VENDOR.mkdir(parents=True, exist_ok=True)
    record, licences = [], []
    for library in LIBRARIES:
        archive = fetched(library)
        package = json.loads(archive["package.json"])
        licences.append(f"{library.name} {library.version}\n\n{archive['LICENSE'].strip()}\n")
        about = {
            "package": library.name,
            "version": library.version,
            "licence": package["license"],
            "integrity": library.integrity,
        }
        for there, here in library.files.items():
            content = adapted(archive[there]).encode()
            (VENDOR / here).parent.mkdir(exist_ok=True)
            (VENDOR / here).write_bytes(content)
            sha256 = hashlib.sha256(content).hexdigest()
            record.append({"file": here, **about, "sha256": sha256})
    (VENDOR / RECORD).write_text(json.dumps(record, indent=2) + "\n")
    (VENDOR / LICENCES).write_text("\n----\n\n".join(licences))


def fetched(library: Library) -> dict[str, str]:
    """The texts in a package, by their paths: whichever registry npm asks, what it has is what we looked at."""
    with tempfile.TemporaryDirectory() as folder:
        package = f"{library.name}@{library.version}"
        subprocess.run(["npm", "pack", "--silent", package], cwd=folder, check=True, capture_output=True)
        archive = next(Path(folder).glob("*.tgz"))
        found = "sha512-" + base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        if found != library.integrity:
            raise SystemExit(f"{package} is not what was looked at: its integrity is {found}")
        wanted = {"package.json", "LICENSE", *library.files}
        with tarfile.open(archive) as content:
            return {
                name: member.read().decode()
                for name in wanted
                if (member := content.extractfile(f"package/{name}")) is not None
            }


def adapted(text: str) -> str:
    """The module with paths for names, built for use, and without the address of a map that is not here."""
    named = _IMPORT.sub(lambda found: f'"{_PATHS[found[1]]}"', text)
    return _SOURCE_MAP.sub("", named.replace(_BUILT_FOR, '"production"'))


if __name__ == "__main__":
    main()
