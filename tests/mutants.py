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


MUTANTS = [
    Mutant(
        "nothing is stored once consent was withdrawn",
        "accounts/consent.py",
        "    found = Consent.objects.live().filter(contributor=contributor,",
        "    found = Consent.objects.filter(contributor=contributor,",
        "tests/test_intake.py::test_nothing_is_stored_after_consent_was_withdrawn",
    ),
    Mutant(
        "a failure while storing leaves no file behind",
        "datasets/intake.py",
        "            vault.destroy(stored_as)\n",
        "            pass\n",
        "tests/test_intake.py::test_a_failure_after_the_file_was_written_leaves_no_file",
    ),
    Mutant(
        "the vault holds only ciphertext",
        "datasets/vault.py",
        "ContentFile(keys.seal(keys.data_key(contributor), wav, path))",
        "ContentFile(wav)",
        "tests/test_intake.py::test_the_vault_holds_only_ciphertext",
    ),
    Mutant(
        "a withdrawn clip is lent to nobody",
        "tagger/assignments.py",
        "        Task.objects.live_for(Purpose.VOLUNTEERS)\n        .wanting()",
        "        Task.objects.wanting()",
        "tests/test_assignments.py::test_a_withdrawn_clip_is_lent_to_nobody",
    ),
    Mutant(
        "a withdrawn clip cannot be heard",
        "tagger/assignments.py",
        "    _must_be_live(assignment.task.clip)\n    return",
        "    return",
        "tests/test_assignments.py::test_a_withdrawn_clip_cannot_be_heard",
    ),
    Mutant(
        "nobody hears their own clip as a volunteer",
        "tagger/assignments.py",
        "        .exclude(clip__contributor=annotator)\n",
        "",
        "tests/test_assignments.py::test_nobody_is_lent_their_own_clip",
    ),
    Mutant(
        "a reported clip is hidden from everyone at once",
        "tagger/assignments.py",
        ".update(hidden_at=now)",
        ".update(hidden_at=None)",
        "tests/test_assignments.py::test_a_report_hides_the_clip_from_everyone_at_once",
    ),
    Mutant(
        "an answer is stored whole or not at all",
        "tagger/assignments.py",
        "    with transaction.atomic():\n"
        "        assignment = _lock(annotator, assignment_id)\n"
        "        task = assignment.task\n",
        "    if True:\n"
        "        assignment = _lock(annotator, assignment_id)\n"
        "        task = assignment.task\n",
        "tests/test_assignments.py::test_an_answer_is_stored_whole_or_not_at_all",
    ),
    Mutant(
        "no task is lent to more people than are wanted",
        "tagger/assignments.py",
        '.select_for_update(of=("self",), skip_locked=True, no_key=True)[:count]',
        "[:count]",
        "tests/test_lending_at_once.py::test_a_crowd_is_never_lent_more_places_than_are_wanted",
    ),
    Mutant(
        "two tabs of one person never borrow one task twice",
        "tagger/assignments.py",
        "        _one_at_a_time(annotator)\n        count = min",
        "        count = min",
        "tests/test_lending_at_once.py::test_the_tabs_of_one_person_together_hold_no_more_than_the_most",
    ),
    Mutant(
        "a tie is never a verdict",
        "tagger/consensus/labels.py",
        "    tied = not votes or len(leaders) > 1\n",
        "    tied = not votes\n",
        "tests/test_consensus_labels.py",
    ),
    Mutant(
        "no demo account where DEBUG is off",
        "tagger/management/commands/load_demo.py",
        "        if not settings.DEBUG:",
        "        if False:",
        "tests/test_demo.py::test_without_debug_no_demo_account_is_made",
    ),
]


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
