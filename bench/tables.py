"""Processor time of `manage.py aggregate` on ten million rows, and of its reader compared with pandas."""

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

NEEDS_DATA = False

ROOT = Path(__file__).resolve().parents[1]
TASKS, WORKERS, ROWS = 2_000_000, 20_000, 10_000_000
CLASSES = np.array(["no", "noise", "similar", "yes"])
ACCURACY = 0.85
BATCH_SIZE = 200_000

LINE = "{:46} {:>14} {:>10}"
# Both give every column as numbers and its distinct texts. Ours also checks each row and remembers the line
# of an error. (With categories instead, pandas takes many times as long.)
OURS = (
    "import pathlib, sys; from tagger.consensus.tables.columns import Field, read; "
    "read(pathlib.Path(sys.argv[1]), [Field('task'), Field('worker'), Field('label')])"
)
PANDAS = (
    "import pandas, sys; table = pandas.read_csv(sys.argv[1]); "
    "[pandas.factorize(table[name]) for name in table]"
)


def main(data: Path) -> None:
    print(f"{ROWS:,} votes on {TASKS:,} tasks by {WORKERS:,} workers\n")
    print(LINE.format("", "processor s", "peak GB"))
    with tempfile.TemporaryDirectory() as folder:
        votes, output = Path(folder, "votes.csv"), Path(folder, "out.csv")
        _write(votes)
        aggregate = [
            str(ROOT / "manage.py"),
            "aggregate",
            str(votes),
            "--kind",
            "label",
            "--output",
            str(output),
        ]
        _measure("aggregate --kind label", aggregate)
        _measure("only reading and numbering", ["-c", OURS, str(votes)])
        _measure("the same with pandas", ["-c", PANDAS, str(votes)])


def _measure(name: str, arguments: list[str]) -> None:
    """In a separate process, measured by `wait4`."""
    child = subprocess.Popen([sys.executable, *arguments], cwd=ROOT, stdout=subprocess.DEVNULL)
    used = _wait(child)
    print(LINE.format(name, f"{used.ru_utime + used.ru_stime:.1f}", f"{used.ru_maxrss / 1e6:.2f}"))


def _wait(child: subprocess.Popen[bytes]) -> resource.struct_rusage:
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, child.args)
    return used


def _write(path: Path) -> None:
    """A simulated crowd: all are right equally often; the rows are in random order."""
    random = np.random.default_rng(1)
    truth = random.integers(0, len(CLASSES), TASKS)
    with path.open("w") as file:
        file.write("task,worker,label\n")
        for _ in range(0, ROWS, BATCH_SIZE):
            tasks, workers = random.integers(0, TASKS, BATCH_SIZE), random.integers(0, WORKERS, BATCH_SIZE)
            guesses = random.integers(0, len(CLASSES), BATCH_SIZE)
            labels = CLASSES[np.where(random.random(BATCH_SIZE) < ACCURACY, truth[tasks], guesses)]
            rows = zip(tasks, workers, labels, strict=True)
            file.writelines(f"t{task},w{worker},{label}\n" for task, worker, label in rows)
