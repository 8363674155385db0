"""An owner's pages with more and more clips, and what counting their figures takes.

OWNER_TASKS=1000000 adds a larger campaign.
"""

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from bench import sites
from tests.support.site import Site

NEEDS_DATA = False

SIZES = (10, 1_000, 100_000)
LINE = "  {:44} {:>12} {:>14} {:>8} {:>12}"


def main(data: Path) -> None:
    more = os.environ.get("OWNER_TASKS")
    with tempfile.TemporaryDirectory() as folder, sites.running(Path(folder, "home")) as site:
        pids = site.children()
        with sites.paused([pids[name] for name in ("web", "worker", "eraser", "beat")]):
            smallest: dict[str, float] = {}
            for size in (*SIZES, *([int(more)] if more else [])):
                found = _measured(site, size)
                counted = found["counting"]
                print(f"\n{found['tasks']:,} tasks, {found['answers']:,} answers, {found['people']:,} people")
                print(
                    f"counting: {counted['seconds']:.2f} s in {counted['statements']} statements, "
                    f"{counted['memory']:.1f} MB more memory\n"
                )
                print(LINE.format("", "median, ms", "processor, ms", "of 10", "statements"))
                for name, (seconds, processor, statements) in found["calls"].items():
                    of = seconds / smallest.setdefault(name, seconds)
                    figures = (f"{1000 * seconds:.1f}", f"{1000 * processor:.1f}", f"{of:.1f}", statements)
                    print(LINE.format(name, *figures), flush=True)


def _measured(site: Site, size: int) -> dict[str, Any]:
    """Each size adds tasks to the site of the one before."""
    code = f"from bench import owning; owning.measure({size})"
    printed = site.manage("shell", "-v", "0", "--no-imports", "-c", code).stdout
    figures: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return figures
