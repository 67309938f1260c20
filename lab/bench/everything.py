"""All benches, as one table with the ratios, a plot, and what machine it was.

    python lab/bench/everything.py [--long] [--only set_stage,scale]

The short form takes some minutes and tells whether something got dearer; the long one makes the figures of the
documents. Writes lab/results.md and lab/results.png. A bench that cannot run here is listed with its reason.
"""

import os
import platform
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import bulk_update
import http_api
import jobs
import psutil
import scale
import set_stage
import set_stages
from house import start
from matplotlib.figure import Figure
from rows import HEADINGS, LeftOutError, Row, console, show

import board
import gateway

LAB = Path(__file__).parents[1]


class Bench(NamedTuple):
    """A bench, and what makes it short; left alone it is long."""

    title: str
    measure: Callable[..., list[Row]]
    short: dict[str, Any]


_SIZES = {"sizes": (1_000, 30_000), "calls": 10, "rows": 5}
_MOVES = {"rounds": 3, "transactions": 500}
_BULK = {"rounds": 3, "clients": 10_000}
BENCHES = {
    "set_stage": Bench("One move at a time, in SQL", set_stage.measure, _MOVES),
    "set_stages": Bench("Many moves in one call, in SQL", set_stages.measure, {"rounds": 3}),
    "bulk_update": Bench("Many moves in one plain UPDATE", bulk_update.measure, _BULK),
    "http_api": Bench("Over HTTP", http_api.measure, {"seconds": 2, "rounds": 3}),
    "gateway": Bench("The gateway", gateway.measure, {"seconds": 2, "rounds": 3}),
    "jobs": Bench("The jobs", jobs.measure, {"clients": 50_000}),
    "scale": Bench("A call, as the firm grows", scale.measure, _SIZES),
    "board": Bench("The board", board.measure, {"many": 2_000, "rounds": 3}),
}


def machine() -> dict[str, str]:
    """What it ran on, and what else ran there."""
    return {
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GB",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "postgresql": _version([str(set_stage.PGBENCH), "--version"]),
        "commit": _version(["git", "-C", str(LAB), "rev-parse", "--short", "HEAD"]),
        "began": datetime.now(UTC).isoformat(timespec="minutes"),
        "load when it began": _load(),
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _version(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def _load() -> str:
    return f"{psutil.getloadavg()[0]:.1f}"


def page(form: str, about: dict[str, str], found: dict[str, list[Row]], left: dict[str, str]) -> str:
    """One table of all that was found, below what machine it was."""
    lines = [f"# What it costs: the {form} form", ""]
    lines += [f"- {name}: {value}" for name, value in about.items()]
    lines += [f"- left out: {name}, because {why}" for name, why in left.items()]
    lines += ["", "![Cost of each against its floor](results.png)", ""]
    lines += ["| bench | " + " | ".join(HEADINGS) + " |", "|---" * (len(HEADINGS) + 1) + "|"]
    for name, rows in found.items():
        for row in rows:
            missed = " (missed)" if row.is_met is False else ""
            lines.append(f"| {name} | " + " | ".join(row.cells) + f"{missed} |")
    return "\n".join(lines) + "\n"


def plot(file: Path, found: dict[str, list[Row]]) -> None:
    drawn = [(name, row) for name, rows in found.items() for row in rows if row.cost is not None]
    if not drawn:
        return
    figure = Figure(figsize=(11, 1 + 0.27 * len(drawn)), layout="constrained")
    axes = figure.add_subplot()
    names = list(dict.fromkeys(name for name, _ in drawn))
    for place, (name, row) in enumerate(drawn):
        colour = f"C{names.index(name)}"
        axes.barh(place, row.cost - 1, left=1, height=0.7, color=colour)
        side = "left" if row.cost >= 1 else "right"
        axes.annotate(f" {row.cost:.2f} ", (row.cost, place), va="center", fontsize=8, ha=side)
        if row.wanted:
            axes.plot(1 / row.wanted if row.is_rate else row.wanted, place, "k|", markersize=12)
    axes.set_yticks(range(len(drawn)), [row.what for _, row in drawn], fontsize=8)
    axes.set_xscale("log")
    axes.set_xticks([0.05, 0.1, 0.2, 0.5, 1, 2, 5], ["1/20", "1/10", "1/5", "1/2", "1", "2", "5"])
    axes.minorticks_off()
    axes.margins(x=0.12, y=0.01)
    axes.invert_yaxis()
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_xlabel("times its floor (bare SQL, a no-op, the small firm); a tick: what is wanted")
    figure.savefig(file, dpi=60)


def main(long: bool = False, only: str = ",".join(BENCHES)) -> None:
    """Run them one after another, some or all, show each, keep all."""
    about = machine()
    found: dict[str, list[Row]] = {}
    left: dict[str, str] = {}
    for name in only.split(","):
        bench = BENCHES[name]
        try:
            found[name] = bench.measure(**({} if long else bench.short))
        except LeftOutError as error:
            left[name] = str(error)
            console.print(f"{name} is left out: {error}")
            continue
        show(bench.title, found[name])
    about |= {"load when it ended": _load()}
    (LAB / "results.md").write_text(page("long" if long else "short", about, found, left))
    plot(LAB / "results.png", found)
    console.print(f"wrote {LAB / 'results.md'} and results.png")


if __name__ == "__main__":
    start(main)
