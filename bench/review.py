"""The review queue with more and more open items: its page, its next item, its list, and one decision.

REVIEW_ITEMS=1000000 adds a larger queue.
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
LINE = "  {:44} {:>12} {:>10} {:>12}"


def main(data: Path) -> None:
    more = os.environ.get("REVIEW_ITEMS")
    with tempfile.TemporaryDirectory() as folder, sites.running(Path(folder, "home")) as site:
        pids = site.children()
        with sites.paused([pids[name] for name in ("web", "worker", "eraser", "beat")]):
            smallest: dict[str, float] = {}
            for size in (*SIZES, *([int(more)] if more else [])):
                found = _measured(site, size)
                print(f"\n{found['items']:,} open items of {found['clips']:,} clips\n")
                print(LINE.format("", "median, ms", "of 10", "statements"))
                for name, (seconds, statements) in found["calls"].items():
                    of = seconds / smallest.setdefault(name, seconds)
                    print(LINE.format(name, f"{1000 * seconds:.1f}", f"{of:.1f}", statements), flush=True)


def _measured(site: Site, size: int) -> dict[str, Any]:
    """Each size adds items to the site of the one before."""
    code = f"from bench import reviewing; reviewing.measure({size})"
    printed = site.manage("shell", "-v", "0", "--no-imports", "-c", code).stdout
    figures: dict[str, Any] = json.loads(printed)
    return figures
