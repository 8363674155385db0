"""Key rotations among more and more people, compared with the bare change of the same rows, and who waits.

ROTATION_PEOPLE=1000000 adds a larger site. That takes about an hour, ten minutes of it to fill the site.
"""

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from bench import sites
from tests.support.site import Site

NEEDS_DATA = False

SIZES = (100, 1_000, 10_000, 100_000)
LINE = "  {:42} {:>12} {:>14} {:>10}"
ERASURE = "  {:42} {:>12} {:>14} {:>10} {:>8}"

Figures = dict[str, Any]


def main(data: Path) -> None:
    more = os.environ.get("ROTATION_PEOPLE")
    with tempfile.TemporaryDirectory() as folder, sites.running(Path(folder, "home")) as site:
        pids = site.children()
        with sites.paused([pids[name] for name in ("web", "worker", "eraser", "beat")]):
            for size in (*SIZES, *([int(more)] if more else [])):
                found = _measured(site, size)
                _print_rotation(found)
                _print_erasures(found["erasures"])


def _measured(site: Site, size: int) -> Figures:
    """Each size adds people to the site of the one before."""
    code = f"from bench import rotating; rotating.measure({size})"
    printed = site.manage("shell", "-v", "0", "--no-imports", "-c", code).stdout
    figures: Figures = json.loads(printed)
    return figures


def _print_rotation(found: Figures) -> None:
    rotation, bare, quiet = found["rotation"], found["bare"], found["quiet"]
    print(f"\n{found['people']:,} people with {found['clips']:,} clips: {_rate(found)} people a second\n")
    print(LINE.format("", "seconds", "rotation takes", ""))
    costs = {
        "a whole rotation": rotation["seconds"],
        **{f"  {step}": seconds for step, seconds in rotation["says"].items()},
        "only the UPDATE of the same rows": bare["seconds"],
        "only the encryption": found["encryption"],
    }
    for name, seconds in costs.items():
        print(LINE.format(name, f"{seconds:.2f}", f"{rotation['seconds'] / seconds:.1f} times", ""))
    print("\n" + LINE.format("sign-ups meanwhile", "slowest, ms", "of quiet", "number"))
    for name, each in (("quiet", quiet), ("the UPDATE", bare), ("the rotation", rotation)):
        times = each["slowest"] / quiet["slowest"]
        print(LINE.format(name, f"{1000 * each['slowest']:.0f}", f"{times:.1f}", each["times"]), flush=True)


def _rate(found: Figures) -> str:
    return f"{found['people'] / found['rotation']['seconds']:,.0f}"


def _print_erasures(erasures: dict[str, dict[str, float]]) -> None:
    print("\n" + ERASURE.format("one erasure", "rows read", "journal, kB", "files, kB", "ms"))
    for kind, cost in erasures.items():
        figures = (f"{cost[what]:,.0f}" for what in ("read", "journal", "files"))
        print(ERASURE.format(kind, *figures, f"{1000 * cost['seconds']:.0f}"), flush=True)
