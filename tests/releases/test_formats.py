import csv
import errno
import hashlib
import io
import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from datasets import disks
from datasets.releases import formats
from datasets.releases.formats import card, deepspeech, folder, package, precise, rows, summary
from datasets.releases.formats.rows import Row
from tests.support.mutants import mutant
from tests.support.released import refused

ABOUT = card.About(
    name="spring",
    title="Spring release",
    quarter="2025-Q2",
    site="https://tags.example",
    contact="data@tags.example",
)

SPOKEN = Row(
    id="a1",
    speaker="s1",
    split="train",
    kind="transcription",
    wake_word="",
    label=None,
    text="qué día",
    seconds=2.0,
    size=44 + 2 * 32000,
    confidence=0.9,
    soft={"words": [{"word": "qué", "votes": {"qué": 3}, "agreement": 1.0}]},
    language="es",
)

WAKE = Row(
    id="w1",
    speaker="s2",
    split="train",
    kind="wake-word",
    wake_word="Hey Mycroft",
    label="yes",
    text="",
    seconds=1.0,
    size=44 + 2 * 16000,
    confidence=1.0,
    soft={"votes": {"yes": 2, "no": 0}, "shares": {"yes": 1.0, "no": 0.0}},
    language="en",
)

RELEASE = [
    SPOKEN,
    replace(SPOKEN, id="a2", speaker="s3", split="test", text="o'neill's"),
    WAKE,
    replace(WAKE, id="w2", label="no"),
    replace(WAKE, id="w3", label="similar", split="dev", speaker="s4"),
    replace(WAKE, id="w4", split="test", speaker="s5"),
    replace(WAKE, id="w5", label="noise", split="test", speaker="s5"),
]

OWN = {"LICENSE.txt", "README.md", "checksums.sha256", "soft-labels.jsonl"}


def voice(row):
    """In place of a WAV: different bytes for each row, as many as the row says."""
    return row.id.encode().ljust(row.size, b".")


def entries(form, release=RELEASE):
    return list(package.entries(form, ABOUT, lambda: iter(release), voice))


def files(form, release=RELEASE):
    return {entry.path: entry.read() for entry in entries(form, release)}


def table(text):
    return list(csv.DictReader(io.StringIO(text.decode("utf-8"))))


def test_a_format_is_found_by_name():
    assert formats.find("deepspeech") is deepspeech
    assert formats.find("precise") is precise


def test_an_unknown_format_is_refused_with_a_list_of_the_known():
    with refused(rows.UnknownFormat, r"no format 'mp3'; there are .*deepspeech, .*precise"):
        formats.find("mp3")


def test_deepspeech_writes_a_table_for_each_split():
    written = files(deepspeech)
    assert written["train.csv"].decode() == (
        "wav_filename,wav_filesize,transcript\nclips/a1.wav,64044,qué día\nclips/w1.wav,32044,hey mycroft\n"
    )
    assert written["dev.csv"] == b"wav_filename,wav_filesize,transcript\n"
    assert [line["transcript"] for line in table(written["test.csv"])] == ["o'neill's", "hey mycroft"]


def test_deepspeech_lists_exactly_its_clips_with_their_sizes():
    written = files(deepspeech)
    named = [line for split in ("train", "dev", "test") for line in table(written[f"{split}.csv"])]
    assert {line["wav_filename"] for line in named} == {path for path in written if path.startswith("clips/")}
    assert all(len(written[line["wav_filename"]]) == int(line["wav_filesize"]) for line in named)


def test_deepspeech_has_no_other_files():
    clips = {f"clips/{name}.wav" for name in ("a1", "a2", "w1", "w4")}
    assert files(deepspeech).keys() == OWN | clips | {"alphabet.txt", "train.csv", "dev.csv", "test.csv"}


def test_the_alphabet_is_every_character_of_the_transcripts_with_the_space_first():
    comment, *letters = files(deepspeech)["alphabet.txt"].decode().split("\n")
    assert comment.startswith("#")
    assert letters == [" ", *"'acdefhilmnoqrstuyéí", ""]


def test_the_alphabet_of_an_empty_release_is_the_space():
    assert files(deepspeech, [])["alphabet.txt"].decode().endswith("\n \n")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (SPOKEN, None),
        (replace(SPOKEN, text=""), "nothing said"),
        (replace(SPOKEN, text="turn [unclear] off"), "partly unclear"),
        (replace(SPOKEN, seconds=10.0), None),
        (replace(SPOKEN, seconds=10.01), "longer than 10 s"),
        (replace(SPOKEN, text="a" * 50, seconds=1.0), None),
        (replace(SPOKEN, text="a" * 51, seconds=1.0), "too short for its transcript"),
        (WAKE, None),
        (replace(WAKE, label="similar"), "no transcript: a wake-word clip not answered yes"),
        (replace(WAKE, label="noise"), "no transcript: a wake-word clip not answered yes"),
    ],
)
def test_deepspeech_says_why_a_row_is_left_out(row, reason):
    assert deepspeech.why_left_out(row) == reason


def test_precise_sorts_clips_into_its_folders():
    wake_words = [row for row in RELEASE if row.kind == "wake-word"]
    assert files(precise, wake_words).keys() == OWN | {
        "wake-word/w1.wav",
        "not-wake-word/w2.wav",
        "not-wake-word/w3.wav",
        "test/wake-word/w4.wav",
        "test/not-wake-word/w5.wav",
    }


def test_precise_leaves_transcriptions_out():
    counted = summary.summarise(RELEASE, precise.why_left_out)
    assert counted.left_out == {"a transcription: no wake word was asked for": 2}
    assert counted.clips == 5


def test_precise_refuses_two_wake_words_before_the_first_entry():
    release = [WAKE, replace(WAKE, id="w2", wake_word="computer")]
    archive = package.entries(precise, ABOUT, lambda: iter(release), voice)
    with refused(rows.NotRepresentable, "computer, hey mycroft"):
        next(archive)


def test_precise_accepts_one_wake_word_typed_in_two_ways():
    release = [WAKE, replace(WAKE, id="w2", wake_word="hey mycroft!")]
    assert "wake-word/w2.wav" in files(precise, release)


def test_soft_labels_have_a_line_for_each_row_of_the_archive():
    lines = files(deepspeech)["soft-labels.jsonl"].decode().splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["a1", "a2", "w1", "w4"]
    assert json.loads(lines[0]) == {
        "id": "a1",
        "speaker": "s1",
        "split": "train",
        "answer": "qué día",
        "confidence": 0.9,
        "soft": SPOKEN.soft,
    }
    assert json.loads(lines[2])["answer"] == "yes"


def test_the_card_has_every_section_and_its_counts():
    text = files(deepspeech)["README.md"].decode()
    for section in (
        "Dataset Details",
        "Uses",
        "Dataset Structure",
        "Dataset Creation",
        "Citation",
        "Contact",
    ):
        assert f"## {section}\n" in text
    for part in ("Direct Use", "Out-of-Scope Use", "Annotations", "Personal and Sensitive Information"):
        assert f"### {part}\n" in text
    assert "- Clips: 4, 0:00:06, 4 speakers\n- Language: en, es\n" in text
    assert "| train | 2 | 2 | 0:00:03 |\n| dev | 0 | 0 | 0:00:00 |\n| test | 2 | 2 | 0:00:03 |\n" in text
    assert "| no transcript: a wake-word clip not answered yes | 3 |" in text
    assert "https://tags.example/api/v1/recalls/spring.json" in text


def test_the_licence_is_the_releases():
    assert files(deepspeech)["LICENSE.txt"].startswith(b"SPDX-License-Identifier: CC0-1.0\n")
    other = card.licence(replace(ABOUT, licence="CC-BY-SA-4.0"))
    assert "SPDX-License-Identifier: CC-BY-SA-4.0" in other
    assert "https://spdx.org/licenses/CC-BY-SA-4.0.html" in other


@pytest.mark.parametrize("form", formats.FORMATS.values(), ids=formats.FORMATS)
def test_every_entry_has_the_size_that_it_announces(form):
    assert all(entry.size == len(entry.read()) for entry in entries(form))


@pytest.mark.parametrize("form", formats.FORMATS.values(), ids=formats.FORMATS)
def test_the_same_release_gives_the_same_bytes_in_the_same_order(form):
    shuffled = [replace(row, soft=dict(reversed(row.soft.items()))) for row in RELEASE]
    assert list(files(form).items()) == list(files(form, shuffled).items())


@pytest.mark.parametrize("form", formats.FORMATS.values(), ids=formats.FORMATS)
def test_the_checksums_come_last_and_cover_every_other_file(form):
    *written, (name, checksums) = files(form).items()
    assert name == "checksums.sha256"
    assert checksums.decode() == "".join(
        f"{hashlib.sha256(data).hexdigest()}  {path}\n" for path, data in written
    )


def test_the_checksums_are_complete_after_files_were_skipped():
    *_, checksums = entries(deepspeech)
    assert checksums.read() == files(deepspeech)["checksums.sha256"]


def test_a_sound_is_read_once_for_its_bytes_and_its_checksum():
    read = []

    def recording(row):
        read.append(row.id)
        return voice(row)

    for entry in package.entries(deepspeech, ABOUT, lambda: iter(RELEASE), recording):
        entry.read()
    assert read == ["a1", "a2", "w1", "w4"]


@pytest.mark.parametrize("release", [[WAKE, SPOKEN], [WAKE, WAKE]], ids=["falling", "twice"])
def test_rows_out_of_order_are_refused(release):
    with pytest.raises(rows.OutOfOrder):
        entries(deepspeech, release)


@pytest.mark.parametrize(
    "wrong",
    [{"id": "../a"}, {"id": ""}, {"id": "a/b"}, {"id": "-rf"}, {"split": "validation"}, {"kind": "song"}],
)
def test_an_impossible_row_is_refused(wrong):
    with pytest.raises(ValueError, match=repr(*wrong.values())):
        replace(SPOKEN, **wrong)


def test_a_folder_has_the_files_of_the_archive(tmp_path):
    written = folder.write(entries(deepspeech), tmp_path / "new" / "out")
    found = {
        path.relative_to(tmp_path / "new" / "out").as_posix(): path.read_bytes()
        for path in tmp_path.rglob("*")
        if path.is_file()
    }
    assert found == files(deepspeech)
    assert (written.files, written.bytes) == (len(found), sum(map(len, found.values())))


def test_an_empty_folder_is_filled(tmp_path):
    (tmp_path / "out").mkdir()
    folder.write(entries(precise), tmp_path / "out")
    assert (tmp_path / "out" / "wake-word" / "w1.wav").exists()


@pytest.fixture
def disk(tmp_path, monkeypatch):
    """A folder that is a mount point as far as can be told without mounting: it can be no rename's target."""
    place, rename = tmp_path / "disk", os.rename
    place.mkdir()

    def refusing(source, target):
        if Path(target) == place:
            raise OSError(errno.EBUSY, "Device or resource busy", str(target))
        rename(source, target)

    monkeypatch.setattr(os.path, "ismount", lambda path: Path(path) == place)
    monkeypatch.setattr(os, "rename", refusing)
    return place


@mutant(
    "an export fills an empty disk that is mounted at its folder",
    "datasets/releases/formats/folder.py",
    kept_by="    is_disk = os.path.ismount(folder)\n    parent",
    broken="    is_disk = False\n    parent",
)
def test_an_empty_disk_is_filled(disk, tmp_path):
    (disk / "lost+found").mkdir()
    folder.write(entries(precise), disk)
    assert (disk / "wake-word" / "w1.wav").exists()
    assert [path.name for path in disk.iterdir() if path.name.startswith(".")] == []
    assert [path.name for path in tmp_path.iterdir()] == ["disk"]


def test_a_disk_that_is_really_mounted_is_filled(tmp_path):
    place = tmp_path / "disk"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "none", str(place)], capture_output=True).returncode:
        pytest.skip("needs a right to mount")
    try:
        folder.write(entries(precise), place)
        assert (place / "wake-word" / "w1.wav").exists()
        assert len([path for path in place.iterdir() if path.name.startswith(".")]) == 0
    finally:
        subprocess.run(["umount", str(place)], check=True)


def test_a_disk_that_cannot_be_filled_is_left_empty(disk, monkeypatch):
    rename, moved = Path.rename, []

    def failing(self, target):
        moved.append(target)
        if len(moved) == 3:
            raise OSError(errno.EIO, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(OSError, match="Input/output"):
        folder.write(entries(deepspeech), disk)
    assert list(disk.iterdir()) == []


@mutant(
    "an export does not fill the system's disk in place of one that is not mounted",
    "datasets/releases/formats/folder.py",
    kept_by="    _check_mounted(folder)\n",
    broken="",
)
@pytest.mark.parametrize("to", ["usb", "usb/out", "missing", "missing/deep/out", "."])
def test_where_no_disk_is_mounted_nothing_is_written(tmp_path, monkeypatch, to):
    (tmp_path / "usb").mkdir()
    if to == ".":
        (tmp_path / "usb").rmdir()
    monkeypatch.setattr(folder, "MOUNTS", (tmp_path,))
    with refused(folder.NotMounted, "no disk is mounted at"):
        folder.write(entries(precise), tmp_path / to)
    assert list(tmp_path.rglob("*")) == ([] if to == "." else [tmp_path / "usb"])


def test_where_a_disk_is_mounted_or_a_folder_is_in_use_all_is_written(disk, tmp_path, monkeypatch):
    monkeypatch.setattr(folder, "MOUNTS", (tmp_path,))
    (tmp_path / "in use").mkdir()
    (tmp_path / "in use" / "mine.txt").write_text("mine")
    for to in (disk / "out", tmp_path / "in use" / "deep" / "out"):
        folder.write(entries(precise), to)
        assert (to / "wake-word" / "w1.wav").exists()


@mutant(
    "an export is on disk before it gets its name, and its name before the command ends",
    "datasets/releases/formats/folder.py",
    kept_by="        _sync(whole)\n",
    broken="",
)
def test_an_export_is_on_disk_before_it_has_its_name(tmp_path, monkeypatch):
    done, rename, sync = [], os.rename, disks.sync
    monkeypatch.setattr(os, "rename", lambda *both: (done.append("rename"), rename(*both)))
    monkeypatch.setattr(disks, "sync", lambda path: (done.append(Path(path).name), sync(path)))
    monkeypatch.setattr(disks, "sync_file_system", lambda path: False)
    folder.write(entries(precise), tmp_path / "out")
    at = done.index("rename")
    assert {"w1.wav", "wake-word", "whole"} <= set(done[:at])
    assert done[at + 1 :] == [tmp_path.name]


def test_a_folder_that_is_not_empty_is_refused_and_not_changed(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with refused(folder.Occupied, "not an empty folder"):
        folder.write(entries(precise), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_failure_while_writing_leaves_nothing(tmp_path):
    def gone(row):
        raise LookupError(row.id)

    with pytest.raises(LookupError, match="a1"):
        folder.write(package.entries(deepspeech, ABOUT, lambda: RELEASE, gone), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_withdrawal_while_writing_leaves_nothing(tmp_path):
    release = list(RELEASE)

    def withdrawing(row):
        release[:] = [other for other in release if other.id != "w4"]
        return voice(row)

    with refused(folder.BadEntry, r"checksums\.sha256"):
        folder.write(package.entries(deepspeech, ABOUT, lambda: list(release), withdrawing), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ([rows.Entry("a.wav", 5, lambda: [b"four"])], "has 4 bytes, not 5"),
        ([rows.document("a.txt", "a"), rows.document("a.txt", "b")], "comes twice"),
        ([rows.document("../a.txt", "a")], "leads outside"),
        ([rows.document("/a.txt", "a")], "leads outside"),
    ],
)
def test_a_bad_entry_is_refused_and_leaves_nothing(tmp_path, broken, says):
    with refused(folder.BadEntry, says):
        folder.write(broken, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
