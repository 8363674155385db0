"""Does each promise's test notice when the line that keeps the promise is gone? `make mutants`.

A mutant is declared next to the test that kills it, with the decorator `mutant`. It changes one place in a
copy of the tree and runs that test there. A mutant that lives means a promise without a guard.
"""

import ast
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).resolve().parents[2]

AT_THE_SAME_TIME = 3

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


def main() -> int:
    mutants = declared()
    guards = sorted({mutant.guard for mutant in mutants})
    if not passes(ROOT, *guards, "-n", str(AT_THE_SAME_TIME), "--dist", "loadfile"):
        raise SystemExit("a guard is red without any mutant")
    with ThreadPoolExecutor(AT_THE_SAME_TIME) as pool:
        alive = [mutant for mutant, died in zip(mutants, pool.map(dies, mutants), strict=True) if not died]
    for mutant in alive:
        print(f"ALIVE: {mutant.promise} ({mutant.edit.file}; {mutant.guard})")
    print(f"{len(mutants) - len(alive)} of {len(mutants)} mutants died")
    return 1 if alive else 0


def dies(mutant: Mutant) -> bool:
    with tempfile.TemporaryDirectory(prefix="tagger-mutant-") as scratch:
        tree = copy_of_the_tree(Path(scratch))
        break_in(tree, mutant.edit)
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


def break_in(tree: Path, edit: Edit) -> None:
    file = tree / edit.file
    text = file.read_text()
    if text.count(edit.kept_by) != 1:
        raise SystemExit(f"{edit.file} does not hold once what a mutant breaks:\n{edit.kept_by}")
    file.write_text(text.replace(edit.kept_by, edit.broken))


def passes(tree: Path, *arguments: str) -> bool:
    """Whether these tests are green; anything but green or red (no such test, say) stops the run."""
    command = [sys.executable, "-m", "pytest", "-x", "-p", "no:cacheprovider", *arguments]
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True)
    if done.returncode not in (0, 1):
        said = f"{done.stdout}{done.stderr}"
        raise SystemExit(f"{' '.join(arguments)}: pytest stopped with {done.returncode}\n{said}")
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
