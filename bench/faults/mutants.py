"""Broken copies of the code; a run on each of them must find the fault."""

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.support.mutants import Edit, break_in, copy_of_the_tree

from .checker import Kind


@dataclass(frozen=True)
class FaultMutant:
    name: str
    found_as: Kind
    edits: list[Edit]


MUTANTS = [
    FaultMutant(
        "no unique constraint",
        Kind.DOUBLED,
        [
            Edit(
                "datasets/migrations/0001_squashed_0034_retractions.py",
                "models.UniqueConstraint(fields=('task', 'annotator'), "
                "name='one_annotation_per_annotator'), ",
                "",
            ),
            Edit(
                "tagger/migrations/0001_squashed_0027_release_orders.py",
                "models.UniqueConstraint(fields=('task', 'annotator', 'role'), "
                "name='one_assignment_per_annotator_and_role')",
                "",
            ),
            Edit(
                "tagger/lending/statements.py",
                "    ON CONFLICT (task_id, annotator_id, role)\n"
                "    DO UPDATE SET state = excluded.state, lent_at = excluded.lent_at, "
                "expires_at = excluded.expires_at\n",
                "",
            ),
        ],
    ),
    FaultMutant(
        "no sweep",
        Kind.UNSETTLED,
        [
            Edit(
                "tagger/settings.py",
                '    "sweep": {"task": "tagger.tasks.settle", "schedule": timedelta(seconds=2)},\n',
                "",
            )
        ],
    ),
    FaultMutant(
        "no lock while lending",
        Kind.OVER_COLLECTED,
        [
            Edit(
                "tagger/lending/candidates.py",
                "    LIMIT %s FOR NO KEY UPDATE OF task ",
                "    LIMIT %s -- ",
            )
        ],
    ),
    FaultMutant(
        "settling queued before the commit",
        Kind.REFUSED,
        [
            Edit(
                "tagger/lending/assignments.py",
                "    if annotation := statements.store_label(",
                "    queue.send_request()\n    if annotation := statements.store_label(",
            )
        ],
    ),
]


def main(most: int, seed: int) -> int:
    red = [turns_red(mutant, most, seed) for mutant in MUTANTS]
    print(f"{sum(red)} of {len(red)} mutants turned red")
    return 0 if all(red) else 1


def turns_red(mutant: FaultMutant, most: int, seed: int) -> bool:
    """Whether a run of at most this many faults finds what the mutant breaks."""
    with tempfile.TemporaryDirectory(prefix="tagger-mutant-") as scratch:
        tree = copy_of_the_tree(Path(scratch))
        for edit in mutant.edits:
            break_in(tree, edit)
        command = [sys.executable, "-m", "bench.faults", "--seconds", str(most), "--seed", str(seed)]
        done = subprocess.run(
            [*command, "--until", mutant.found_as.value],
            cwd=tree,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
    try:
        figures = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        raise SystemExit(f"{mutant.name}: no figures\n{done.stdout}{done.stderr}") from None
    if not (found := figures[mutant.found_as.value]):
        print(f"GREEN  {mutant.name}, after {sum(figures['faults'].values())} faults", flush=True)
        return False
    print(f"red    {mutant.name}, after {figures['first_red']} faults: {found} {mutant.found_as}", flush=True)
    return True
