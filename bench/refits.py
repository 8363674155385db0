"""What a refit of labels costs, and settling again what it changed, on made rows.

REFIT_TASKS=333000 adds a larger site: a million answers.
"""

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from bench import sites
from tests.support.site import Site

NEEDS_DATA = False

SIZES = (3_000, 33_000)
LINE = "  {:58} {:>10} {:>14}"


def main(data: Path) -> None:
    more = os.environ.get("REFIT_TASKS")
    with tempfile.TemporaryDirectory() as folder, sites.running(Path(folder, "home")) as site:
        pids = site.children()
        with sites.paused([pids[name] for name in ("web", "worker", "eraser", "beat")]):
            for size in (*SIZES, *([int(more)] if more else [])):
                found = _measured(site, size)
                print(f"\n{found['tasks']:,} tasks, {found['answers']:,} answers")
                print(f"{found['memory']:.0f} MB at most\n")
                print(LINE.format("", "seconds", "µs for each"))
                for name, (seconds, number) in found["steps"].items():
                    each = 1e6 * seconds / max(number, 1)
                    print(LINE.format(name.format(number), f"{seconds:.2f}", f"{each:.0f}"), flush=True)


def _measured(site: Site, size: int) -> dict[str, Any]:
    """Each size adds tasks to the site of the one before."""
    code = f"from bench import refitting; refitting.measure({size})"
    printed = site.manage("shell", "-v", "0", "--no-imports", "-c", code).stdout
    figures: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return figures
