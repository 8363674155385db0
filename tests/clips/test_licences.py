"""No recording is stored without a licence: that of its row, of its import, or the terms of its consent."""

import pytest
from django.core.management import CommandError, call_command

from accounts import notices
from accounts.models import User
from datasets import licences
from datasets.clips import intake
from datasets.models import Clip, Task
from tests.conftest import NOW
from tests.support import sounds
from tests.support.mutants import mutant


def imported(source, licence="", **more):
    options = {"campaign": "juniper", "contributor": "people", "consent_reference": "on paper"}
    call_command("import_clips", source, **options, licence=licence, verbosity=0, **more)


def recording(path, number=1):
    path.write_bytes(sounds.in_format("wav", sounds.tone(0.4, hertz=500 + 50 * number)))


@mutant(
    "no import begins that cannot say its licence",
    "datasets/clips/imports.py",
    kept_by='    if not licence and not (found and "licence" in found.fields):\n',
    broken="    if False:\n",
)
@pytest.mark.parametrize("name", ["", "clips.csv"])
def test_a_folder_or_table_that_names_no_licence_needs_one_in_the_command(juniper, tmp_path, name):
    recording(tmp_path / "a.wav")
    (tmp_path / "clips.csv").write_text("path,speaker\na.wav,ann\n")
    with pytest.raises(CommandError) as refused:
        imported(tmp_path / name)
    assert str(refused.value).startswith(f"{tmp_path / name} does not say under which licence")
    assert not Clip.objects.exists() and not User.objects.exists()
    imported(tmp_path / name, "cc-by-sa-3.0")
    assert Clip.objects.get().licence == "CC-BY-SA-3.0"


def test_each_row_is_under_its_own_licence_or_refused_by_its_line(juniper, tmp_path, capsys):
    for number, name in enumerate("abc"):
        recording(tmp_path / f"{name}.wav", number)
    table = tmp_path / "clips.csv"
    table.write_text("path,licence\na.wav,cc0-1.0\nb.wav,\nc.wav,free\n")
    imported(table)
    assert list(Clip.objects.values_list("licence", flat=True)) == ["CC0-1.0"]
    said = capsys.readouterr().out
    assert "refused: line 3: b.wav: its row names no licence\n" in said
    assert "refused: line 4: c.wav: licence 'free' is not an SPDX identifier such as CC-BY-4.0\n" in said
    imported(table, "CC-BY-4.0")
    assert set(Clip.objects.values_list("licence", flat=True)) == {"CC0-1.0", "CC-BY-4.0"}
    assert Task.objects.count() == 2


def test_an_unknown_licence_is_refused_before_anything_is_read(juniper, tmp_path):
    with pytest.raises(CommandError, match="--licence free is not known here"):
        imported(tmp_path / "nowhere", "free")


@mutant(
    "what a person gives here is under the terms of their consent, not of any licence",
    "datasets/clips/intake.py",
    kept_by="else licences.BY_CONSENT",
    broken='else "CC0-1.0"',
)
@pytest.mark.parametrize("source", [Clip.Source.BROWSER, Clip.Source.DEVICE])
def test_what_is_given_here_is_under_the_terms_of_its_consent(alice, juniper, source):
    sound = intake.read(sounds.in_format("wav", sounds.tone(0.5)))
    intake.add(sound, juniper, intake.Origin(alice, source, "en"), NOW)
    assert Clip.objects.get().licence == licences.BY_CONSENT


def test_the_consent_notice_names_no_licence_of_its_own(db):
    """If a new version does, BY_CONSENT must become that licence, for clips that are given under it."""
    notice = notices.current("en").text
    assert not any(name in notice for name in (*licences.COMMON, "CC0", "Creative Commons"))
    assert "for any purpose that their licence allows" in notice
