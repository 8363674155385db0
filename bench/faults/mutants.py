"""Broken copies of the tree, each of which a run must turn red."""

import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.site import ROOT

from .checker import Kind

NOT_COPIED = (".git", ".venv", "var", "build", "*_cache", "__pycache__", ".hypothesis")


@dataclass(frozen=True)
class Edit:
    """One place in one file, as it is and as the mutant has it."""

    file: str
    kept_by: str
    broken: str


@dataclass(frozen=True)
class Mutant:
    name: str
    found_as: Kind
    edits: list[Edit]


MUTANTS = [
    Mutant(
        "no unique constraint",
        Kind.DOUBLED,
        [
            Edit(
                "datasets/migrations/0001_initial.py",
                "        migrations.AddConstraint(\n"
                "            model_name='annotation',\n"
                "            constraint=models.UniqueConstraint(fields=('task', 'annotator'), "
                "name='one_annotation_per_annotator'),\n"
                "        ),\n",
                "",
            ),
            Edit(
                "tagger/migrations/0002_reliability.py",
                "        migrations.AddConstraint(\n"
                "            model_name='assignment',\n"
                "            constraint=models.UniqueConstraint(fields=('task', 'annotator', 'role'), "
                "name='one_assignment_per_annotator_and_role'),\n"
                "        ),\n",
                "",
            ),
            Edit(
                "tagger/storing.py",
                "    ON CONFLICT (task_id, annotator_id, role)\n"
                "    DO UPDATE SET state = excluded.state, lent_at = excluded.lent_at, "
                "expires_at = excluded.expires_at\n",
                "",
            ),
        ],
    ),
    Mutant(
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
    Mutant(
        "no lock while lending",
        Kind.OVER_COLLECTED,
        [
            Edit(
                "tagger/candidates.py",
                "    LIMIT %s FOR NO KEY UPDATE OF task ",
                "    LIMIT %s -- ",
            )
        ],
    ),
    Mutant(
        "settling queued before the commit",
        Kind.REFUSED,
        [
            Edit(
                "tagger/assignments.py",
                "    if annotation := storing.label(",
                "    asking.ask()\n    if annotation := storing.label(",
            )
        ],
    ),
]


def main(most: int, seed: int) -> int:
    red = [turns_red(mutant, most, seed) for mutant in MUTANTS]
    print(f"{sum(red)} of {len(red)} mutants turned red")
    return 0 if all(red) else 1


def turns_red(mutant: Mutant, most: int, seed: int) -> bool:
    """Within so many faults, and for what it breaks."""
    with tempfile.TemporaryDirectory(prefix="tagger-mutant-") as scratch:
        tree = Path(scratch, "tree")
        shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(*NOT_COPIED))
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
        told = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        raise SystemExit(f"{mutant.name}: no figures\n{done.stdout}{done.stderr}") from None
    if not (found := told[mutant.found_as.value]):
        print(f"GREEN  {mutant.name}, after {sum(told['faults'].values())} faults", flush=True)
        return False
    print(f"red    {mutant.name}, after {told['first_red']} faults: {found} {mutant.found_as}", flush=True)
    return True


def break_in(tree: Path, edit: Edit) -> None:
    file = tree / edit.file
    text = file.read_text()
    if text.count(edit.kept_by) != 1:
        raise SystemExit(f"{edit.file} does not hold once what a mutant breaks:\n{edit.kept_by}")
    file.write_text(text.replace(edit.kept_by, edit.broken))
