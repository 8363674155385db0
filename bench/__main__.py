"""`python -m bench [part…]`: prints the machine, then the figures of each part."""

import importlib
import importlib.metadata
import os
import platform
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

# Each is a module of this package with `main(data)`. Unless it has NEEDS_DATA = False, it is skipped when the
# folder of real crowds is missing.
PARTS = (
    "labels",
    "transcripts",
    "languages",
    "attacks",
    "foresight",
    "agreement",
    "tables",
    "settling",
    "refits",
    "desk",
    "review",
    "owner",
    "access",
    "roles",
    "imports",
    "archive",
    "rotation",
    "api",
)

SOURCES = (
    "transcripts/dev-clean and dev-other from CrowdSpeech (https://github.com/Toloka/CrowdSpeech), labels/* "
    "from https://github.com/yuan-li/truth-inference-at-scale and "
    "https://github.com/ipeirotis/Get-Another-Label, "
    "each as votes.csv (task,worker,label or text) and gold.csv (task,label or text)"
)


def main(parts: list[str]) -> int:
    if unknown := set(parts) - set(PARTS):
        print(f"bench: there is no part {', '.join(sorted(unknown))} (there are: {', '.join(PARTS)})")
        return 1
    data = Path(os.environ.get("CROWD_DATA") or ROOT.parent / "shared/data/crowd").absolute()
    print(machine())
    for part in parts or PARTS:
        print(f"\n== {part}\n")
        run(part, data)
    return 0


def run(part: str, data: Path) -> None:
    try:
        module = importlib.import_module(f"bench.{part}")
    except ModuleNotFoundError as error:
        print(f"Skipped: {error.name} is not installed (`make bench` installs what the peers need).")
        return
    if getattr(module, "NEEDS_DATA", True) and not data.is_dir():
        print(f"Skipped: there is no folder {data} with real crowds (CROWD_DATA names another): {SOURCES}.")
        return
    module.main(data)


def machine() -> str:
    """The machine; a high load at the start makes the figures less reliable."""
    found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.M)
    model = found[1] if found else platform.machine()
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("numpy", "scipy"))
    load = f"{len(os.sched_getaffinity(0))} cores, {model}, load {os.getloadavg()[0]:.1f}"
    return f"{load}; Python {platform.python_version()}, {versions}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
