"""The house stays clean: linting, types, who may import whom, and a map that is true."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command

from tests.support.mutants import declared

ROOT = Path(__file__).resolve().parents[2]
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


NO_ROOMS = {"__pycache__", "migrations", "management", "commands", "locale", "notice_texts", "licence_texts"}


def test_the_map_names_every_room_and_nothing_else():
    mapped = set(re.findall(r"^\| `([\w/]+)/` \|", (ROOT / "docs/architecture.md").read_text(), re.M))
    folders = {path.parent.relative_to(ROOT) for app in APPS for path in (ROOT / app).rglob("*.*")}
    assert {str(folder) for folder in folders if not NO_ROOMS.intersection(folder.parts)} == mapped


@pytest.mark.parametrize(
    "page", ["docs/architecture.md", "docs/consensus.md", "docs/asvs.md", "CONTRIBUTING.md", "README.md"]
)
def test_every_file_that_a_page_names_exists(page):
    places = "accounts|datasets|tagger|templates|static|tests|docs|bench"
    named = re.findall(rf"`((?:{places})/[a-z0-9_./-]*)`", (ROOT / page).read_text())
    # "xx" is any language's code.
    assert [name for name in named if "/xx" not in name and not (ROOT / name).exists()] == []


def test_every_file_says_in_its_first_line_what_it_is_for():
    paths = (path for app in APPS for path in (ROOT / app).rglob("*.py"))
    named_by_django = {"__init__.py", "apps.py", "admin.py", "urls.py", "forms.py"}
    told = (path for path in paths if path.name not in named_by_django and "migrations" not in path.parts)
    silent = [
        str(path.relative_to(ROOT))
        for path in told
        if "commands" not in path.parts and not path.read_text().startswith('"""')
    ]
    assert silent == []


@pytest.mark.parametrize("mutant", declared(), ids=lambda mutant: mutant.promise)
def test_every_mutant_still_finds_the_one_line_that_it_breaks(mutant):
    assert (ROOT / mutant.edit.file).read_text().count(mutant.edit.kept_by) == 1


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


def test_every_target_of_make_is_defined_once_and_explained():
    """Of two rules with one name make takes the later one and only warns."""
    lines = (ROOT / "Makefile").read_text().splitlines()
    targets = [line.partition(":")[0] for line in lines if re.match(r"[a-z-]+:(?!=)", line)]
    explained = [line.partition(":")[0] for line in lines if re.match(r"[a-z-]+:.*##", line)]
    assert targets == explained and len(set(targets)) == len(targets)


NEWER = re.compile(
    r"\.(?:at|findLast|findLastIndex|toSorted|toReversed|requestSubmit)\(|structuredClone|Object\.hasOwn"
    r"|AbortSignal\.any|static \{|randomUUID|withResolvers|\(\?<[=!]|^await "
)


def test_no_script_of_ours_uses_what_browsers_of_2021_lack():
    """What tests/desk/test_browser_older.py does not reach. Some of it is added in older-browsers.js."""
    ours = [path for path in (ROOT / "static/js").rglob("*.js") if "vendor" not in path.parts]
    found = [
        f"{path.name}: {line}"
        for path in ours
        for line in path.read_text().splitlines()
        if NEWER.search(line)
    ]
    assert found == []
