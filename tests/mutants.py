"""Does each promise's test notice when the line that keeps the promise is gone? `make mutants`.

Every mutant changes one place in a copy of the tree and runs the tests that guard it there. A mutant
that lives means a promise without a guard.
"""

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Mutant:
    """`promise` is kept by `kept_by` in `file`; put `broken` in its place and `guard` turns red."""

    promise: str
    file: str
    kept_by: str
    broken: str
    guard: str


MUTANTS: list[Mutant] = []


def main() -> int:
    alive = [mutant for mutant in MUTANTS if not dies(mutant)]
    for mutant in alive:
        print(f"ALIVE: {mutant.promise} ({mutant.file}; {mutant.guard})")
    print(f"{len(MUTANTS) - len(alive)} of {len(MUTANTS)} mutants died")
    return 1 if alive else 0


def dies(mutant: Mutant) -> bool:
    with tempfile.TemporaryDirectory(prefix="tagger-mutant-") as scratch:
        tree = copy_of_the_tree(Path(scratch))
        if passes(tree, mutant.guard) is False:
            raise SystemExit(f"{mutant.guard} is red without any mutant")
        file = tree / mutant.file
        file.write_text(file.read_text().replace(mutant.kept_by, mutant.broken))
        died = not passes(tree, mutant.guard)
    print(f"{'died' if died else 'ALIVE':<6} {mutant.promise}", flush=True)
    return died


def copy_of_the_tree(scratch: Path) -> Path:
    tree = scratch / "tree"
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    for name in filter(None, tracked.decode().split("\0")):
        target = tree / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target)
    return tree


def passes(tree: Path, guard: str) -> bool:
    """Whether the guard is green; anything but green or red (no such test, say) stops the run."""
    command = [sys.executable, "-m", "pytest", "-x", "-p", "no:cacheprovider", *guard.split()]
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True)
    if done.returncode not in (0, 1):
        raise SystemExit(f"{guard}: pytest stopped with {done.returncode}\n{done.stdout}{done.stderr}")
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
