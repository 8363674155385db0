"""Does each promise's test notice when the line that keeps the promise is gone? `make mutants`.

A mutant is declared next to the test that kills it, with the decorator `mutant`. It changes one place in a
copy of the tree and runs that test there. A mutant that lives means a promise without a guard.
"""

import ast
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import TypeVar

from tests.support import servers

ROOT = Path(__file__).resolve().parents[2]
LANES = 3  # mutants that are tested at the same time
PROCESSES = 3  # for the tests without any mutant

Test = TypeVar("Test", bound=Callable[..., None])


@dataclass(frozen=True)
class Edit:
    """One place in one file, as it is and as the mutant has it."""

    file: str
    kept_by: str
    broken: str


@dataclass(frozen=True)
class Mutant:
    """`promise` is kept by one place in the code; once that is broken, the test `guard` must fail."""

    promise: str
    edit: Edit
    guard: str


def mutant(promise: str, file: str, *, kept_by: str, broken: str) -> Callable[[Test], Test]:
    """Declares that the test below must fail once `kept_by`, which `file` holds once, reads `broken`."""
    return lambda test: test


def declared() -> list[Mutant]:
    """All mutants, read from the tests' source: nothing is imported for it."""
    return [each for path in sorted((ROOT / "tests").rglob("test_*.py")) for each in _declared_in(path)]


def _declared_in(path: Path) -> Iterator[Mutant]:
    for test in ast.parse(path.read_text()).body:
        if isinstance(test, ast.FunctionDef):
            for call in test.decorator_list:
                if (
                    isinstance(call, ast.Call)
                    and isinstance(call.func, ast.Name)
                    and call.func.id == "mutant"
                ):
                    yield _read(call, f"{path.relative_to(ROOT)}::{test.name}")


def _read(call: ast.Call, guard: str) -> Mutant:
    promise, file = map(ast.literal_eval, call.args)
    places = {keyword.arg: ast.literal_eval(keyword.value) for keyword in call.keywords}
    return Mutant(promise, Edit(file, **places), guard)


def main(words: list[str]) -> int:
    mutants = [each for each in declared() if not words or any(word in str(each) for word in words)]
    with shared_servers(), tempfile.TemporaryDirectory(prefix="tagger-mutants-") as scratch:
        lanes = [Lane(number, copy_of_the_tree(Path(scratch, str(number)))) for number in range(LANES)]
        check_guards(lanes[0], sorted({mutant.guard for mutant in mutants}))
        alive = [mutant for mutant, died in run_all(mutants, lanes) if not died]
    for mutant in alive:
        print(f"ALIVE: {mutant.promise} ({mutant.edit.file}; {mutant.guard})")
    print(f"{len(mutants) - len(alive)} of {len(mutants)} mutants died")
    return 1 if alive else 0


@contextmanager
def shared_servers() -> Iterator[None]:
    """One PostgreSQL and one Redis for all runs of pytest."""
    started = servers.start()
    try:
        servers.share(json.loads(servers.first_line(started)))
        yield
    finally:
        servers.stop(started)


class Lane:
    """A copy of the tree in which one mutant at a time is tested, with its own databases."""

    def __init__(self, number: int, tree: Path) -> None:
        self.tree = tree
        self.environment = servers.environment_of(f"mutants_{number}", first=1 + number * PROCESSES)
        self.now = int(time.time())

    @contextmanager
    def broken(self, edit: Edit) -> Iterator[None]:
        file = self.tree / edit.file
        text = file.read_text()
        try:
            break_in(self.tree, edit)
            self._touch(file)
            yield
        finally:
            file.write_text(text)
            self._touch(file)

    def pytest(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--tb=short", "-rsfE", *arguments],
            cwd=self.tree,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )

    def _touch(self, file: Path) -> None:
        """Python takes a compiled file for current if size and time, in whole seconds, are the same."""
        self.now += 1
        os.utime(file, (self.now, self.now))


def check_guards(lane: Lane, guards: list[str]) -> None:
    """Stop unless each guard passes on the unbroken tree."""
    print(f"Running {len(guards)} tests without any mutant …", flush=True)
    done = lane.pytest("-n", str(PROCESSES), "--dist", "loadfile", "--maxfail", "5", *guards)
    skipped = [line for line in done.stdout.splitlines() if line.startswith("SKIPPED")]
    if done.returncode != 0 or skipped:
        raise SystemExit(
            f"Without any mutant, not every test passes (pytest ended with {done.returncode}):\n"
            f"{chr(10).join(skipped) or done.stdout + done.stderr}"
        )


def run_all(mutants: list[Mutant], lanes: list[Lane]) -> Iterator[tuple[Mutant, bool]]:
    """Each mutant, and whether it died; printed in the order in which they end."""
    free: SimpleQueue[Lane] = SimpleQueue()
    for lane in lanes:
        free.put(lane)

    def run(mutant: Mutant) -> tuple[Mutant, bool]:
        lane = free.get()
        try:
            return mutant, dies(mutant, lane)
        finally:
            free.put(lane)

    with ThreadPoolExecutor(len(lanes)) as pool:
        futures = [pool.submit(run, mutant) for mutant in mutants]
        try:
            for number, future in enumerate(as_completed(futures), 1):
                mutant, died = future.result()
                print(
                    f"{number:4}/{len(mutants)} {'died' if died else 'ALIVE':<6}{mutant.promise}", flush=True
                )
                yield mutant, died
        finally:
            pool.shutdown(cancel_futures=True)


def dies(mutant: Mutant, lane: Lane) -> bool:
    """Whether the guard is red; anything but green or red (no such test, say) stops the run."""
    with lane.broken(mutant.edit):
        done = lane.pytest("-x", mutant.guard)
    if done.returncode not in (0, 1):
        raise SystemExit(f"{mutant.guard}: pytest ended with {done.returncode}\n{done.stdout}{done.stderr}")
    return done.returncode == 1


def copy_of_the_tree(scratch: Path) -> Path:
    """All files that git tracks, as they are in the working tree."""
    tree = scratch / "tree"
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    for name in filter(None, tracked.decode().split("\0")):
        target = tree / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target)
    return tree


def break_in(tree: Path, edit: Edit) -> None:
    file = tree / edit.file
    text = file.read_text()
    if text.count(edit.kept_by) != 1:
        raise SystemExit(f"{edit.file} does not hold once what a mutant breaks:\n{edit.kept_by}")
    file.write_text(text.replace(edit.kept_by, edit.broken))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
