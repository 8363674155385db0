"""What the page of a release says to type: of every format, and true of the files that it has."""

import glob
import re
import subprocess
import sys

import pytest

from datasets.releases import commands, formats
from tests.support import training
from tests.support.training import RELEASE, SENTENCES, WAKE_WORDS

NAMED = re.compile(r"\bspring-[a-z-]+(?:/[^\s\"']*)?")


def test_every_format_says_who_reads_it_how_it_is_fetched_and_how_it_is_loaded():
    assert set(commands.READ_BY) == set(commands.SNIPPETS) == set(formats.FORMATS)


@pytest.mark.parametrize("rows", [RELEASE, SENTENCES, WAKE_WORDS], ids=["both", "sentences", "wake words"])
@pytest.mark.parametrize("form", formats.FORMATS)
def test_what_loads_a_format_names_files_that_it_has(form, rows, tmp_path, monkeypatch):
    try:
        files = training.files(formats.find(form), rows)
    except formats.rows.NotRepresentable:
        return  # the page says so in its place
    monkeypatch.chdir(tmp_path)
    for path, content in files.items():
        file = tmp_path / commands.folder_of("spring", form) / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    said = commands.load("spring", form, training.in_subsets(rows)[0])
    named = NAMED.findall(said)
    assert named and "{" not in said.replace('{\n    "manifest', ""), said
    for each in named:
        assert glob.glob(each), (each, said)


@pytest.mark.parametrize("form", ["deepspeech", "text", "common-voice"])
def test_pandas_reads_it_by_these_lines(form, tmp_path):
    pytest.importorskip("pandas")
    folder = tmp_path / commands.folder_of("spring", form)
    for path, content in training.files(formats.find(form), SENTENCES).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    lines = commands.load("spring", form, training.in_subsets(SENTENCES)[0]) + "\nprint(len(train))"
    done = subprocess.run([sys.executable, "-c", lines], cwd=tmp_path, capture_output=True, text=True)
    assert int(done.stdout) >= 2, done.stderr


def test_the_commands_name_the_site_the_release_and_the_format(settings):
    settings.SITE_URL = "https://tags.example"
    fetched = commands.fetch("spring", "kaldi")
    assert "https://tags.example/static/downloads/fetch_release.py\n" in fetched
    assert fetched.endswith("python3 fetch_release.py spring --site https://tags.example --format kaldi")
    assert "TAGGER_TOKEN" in commands.fetch_by_hand("spring", "kaldi", is_open=False)
    assert "TAGGER_TOKEN" not in commands.fetch_by_hand("spring", "kaldi", is_open=True)


def test_a_release_without_subsets_has_commands():
    assert commands.load("old", "nemo", []).count("old-nemo/train_manifest.json") == 1
