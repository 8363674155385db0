"""The house stays clean: linting, types, who may import whom, and a map that is true."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command

from tests.mutants import MUTANTS

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
APPS = ("accounts", "datasets", "tagger")


@pytest.mark.parametrize(
    "check",
    [["ruff", "check"], ["ruff", "format", "--check"], ["mypy"], ["lint-imports"]],
    ids=lambda check: " ".join(check),
)
def test_the_tree_passes(check):
    done = subprocess.run(
        [BIN / check[0], *check[1:]], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert done.returncode == 0, done.stdout


def test_every_change_of_a_model_has_its_migration(db):
    call_command("makemigrations", "--check", "--dry-run")


def test_the_map_names_every_module_and_nothing_else():
    mapped = set(re.findall(r"^\| `([\w/]+\.py)` \|", (ROOT / "docs/architecture.md").read_text(), re.M))
    modules = {str(path.relative_to(ROOT)) for app in APPS for path in (ROOT / app).rglob("*.py")}
    real = {name for name in modules if not name.endswith("__init__.py") and "/migrations/" not in name}
    assert real == mapped


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.promise)
def test_every_mutant_still_finds_the_one_line_that_it_breaks(mutant):
    assert (ROOT / mutant.file).read_text().count(mutant.kept_by) == 1
    named = mutant.guard.split("::")
    assert len(named) == 1 or f"def {named[1]}(" in (ROOT / named[0]).read_text()


def test_no_column_holds_who_a_person_is_beyond_a_pseudonym():
    columns = {field.name for model in apps.get_models() for field in model._meta.get_fields()}
    asked = re.compile(
        r"first_name|last_name|full_name|birth|(^|_)age|gender|sex($|_)|ethnic|origin|income|nationality|phone"
    )
    assert {name for name in columns if asked.search(name)} == set()


def test_nothing_of_ours_listens_to_signals():
    listening = [
        str(path.relative_to(ROOT))
        for app in APPS
        for path in (ROOT / app).rglob("*.py")
        if re.search(r"django\.db\.models\.signals|@receiver|\.connect\(sender", path.read_text())
    ]
    assert listening == []
