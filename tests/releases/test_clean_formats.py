"""Copies in every format, cleaned by the program for researchers. No feed and no site are needed here."""

import hashlib
import io
import json
import os
import tarfile
from pathlib import Path

import pyarrow.parquet
import pytest

from datasets.releases import sound_files
from datasets.releases.formats import FORMATS
from static.downloads import clean_copy
from tests.support import training
from tests.support.copies import contents, whole
from tests.support.mutants import mutant

GONE = {"a3", "w1", "w5"}
ROWS = [training.for_everyone(row) for row in training.RELEASE]
LEFT = [row for row in ROWS if row.id not in GONE]
PACKED = ("parquet", "webdataset", "lhotse-shar")
SUMS = "checksums.sha256"
# Made from counts of all rows, which a cleaned copy cannot know.
DOCUMENTS = ("README.md", "DATASHEET.md", "croissant.json", "zenodo.json", "alphabet.txt")


@pytest.fixture(params=FORMATS)
def form(request):
    return FORMATS[request.param]


def clean(folder, gone=GONE):
    return clean_copy.clean(folder, {each.encode() for each in gone}, b"")


def readable(name, data):
    """Parquet as its rows, as another program writes other bytes for the same; all else as it is."""
    if not name.endswith(".parquet"):
        return data
    table = pyarrow.parquet.read_table(io.BytesIO(data))
    return table.schema.names, table.schema.metadata[b"huggingface"], table.to_pylist()


def silence(row):
    data = bytearray(row.size)
    mark = sound_files.mark(training.PUBLIC, row.id)
    sound_files.silence_into(memoryview(data), mark)
    return bytes(data)


def silent_copy(form, folder):
    """As it is downloaded after some clips were withdrawn, and before the next feed."""
    audio = lambda row: silence(row) if row.id in GONE else training.sound(row)  # noqa: E731
    packed = training.files(form, ROWS, audio) if form.NAME in PACKED else training.files(form, ROWS)
    for path, data in packed.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    for path in folder.rglob("*.wav"):
        for row in ROWS:
            if row.id == path.stem and row.id in GONE:
                path.write_bytes(silence(row))
    return folder


@mutant(
    "no sound of a withdrawn clip stays in a shard of a cleaned copy",
    "static/downloads/clean_copy.py",
    kept_by='            yield data, b"" if is_gone(gone, member.name.encode()) else data\n',
    broken="            yield data, data\n",
)
@mutant(
    "no withdrawn clip stays in a speaker's line of a cleaned copy",
    "static/downloads/clean_copy.py",
    kept_by="            yield line, rest if is_gone(gone, line) else line\n",
    broken="            yield line, line\n",
)
@mutant(
    "no row or sound of a withdrawn clip stays in a table of a cleaned copy",
    "static/downloads/clean_copy.py",
    kept_by="gone.isdisjoint(i.encode() for i in row.values())",
    broken="True",
)
def test_a_cleaned_copy_is_what_the_format_makes_of_the_other_clips(form, tmp_path):
    training.write(form, tmp_path, ROWS)
    assert clean(tmp_path) == []
    cleaned, expected = whole(tmp_path), training.files(form, LEFT)
    for name in expected.keys() - {SUMS, *DOCUMENTS}:
        assert readable(name, cleaned[name]) == readable(name, expected[name]), name
    for name in cleaned.keys() - expected.keys():
        assert cleaned[name] == b"" or not name.endswith((".wav", ".tar", ".parquet", "jsonl")), name
    assert not any(each in clean_copy.ID.findall(data) for each in gone_ids() for data in cleaned.values())


@mutant(
    "no single vote of who took theirs back stays in a cleaned copy",
    "static/downloads/clean_copy.py",
    kept_by='        named = [name for name in ("id", "annotator") if name in table.schema_arrow.names]\n',
    broken='        named = ["id"]\n',
)
def test_a_cleaned_copy_has_the_single_votes_on_other_clips_by_other_volunteers(form, tmp_path):
    training.write(form, tmp_path, list(map(training.voted, ROWS)), training.WITH_VOTES)
    assert clean(tmp_path, {*GONE, "c" * 16}) == []
    stays = [
        {"id": row.id, **vote._asdict()}
        for row in map(training.voted, LEFT)
        for vote in row.single_votes
        if vote.annotator != "c" * 16 and form.why_left_out(row) is None
    ]
    votes = pyarrow.parquet.read_table(tmp_path / "votes.parquet").to_pylist()
    assert sorted(votes, key=str) == sorted(stays, key=str)
    assert not any(b"c" * 16 in data for data in whole(tmp_path).values())


def test_without_pyarrow_it_says_that_single_votes_must_go(tmp_path, monkeypatch):
    training.write(FORMATS["precise"], tmp_path, list(map(training.voted, ROWS)), training.WITH_VOTES)
    monkeypatch.setattr(clean_copy, "pyarrow", None)
    assert clean(tmp_path, {"e" * 16}) == []
    [wrong] = clean(tmp_path, {"c" * 16})
    assert "votes.parquet: has withdrawn clips: pip install pyarrow" in wrong


def gone_ids():
    return [each.encode() for each in GONE]


def test_a_clean_copy_stays_as_it_is_byte_for_byte(form, tmp_path):
    training.write(form, tmp_path, ROWS)
    before = contents(tmp_path)
    assert clean(tmp_path, set()) == clean(tmp_path, {"z9"}) == []
    assert contents(tmp_path) == before


def test_a_second_run_changes_nothing_more(form, tmp_path):
    training.write(form, tmp_path, ROWS)
    clean(tmp_path)
    before = contents(tmp_path)
    assert clean(tmp_path) == []
    assert contents(tmp_path) == before


@mutant(
    "silent sounds inside shards and tables are taken out of a copy",
    "static/downloads/clean_copy.py",
    kept_by="                yield from [each for each, sound in packed(path) if is_silent(sound)]\n",
    broken="                pass\n",
)
@pytest.mark.parametrize("name", [name for name in FORMATS if name not in ("text", "parquet-labels")])
def test_clips_that_came_as_silence_are_taken_out(name, tmp_path):
    form = FORMATS[name]
    silent_copy(form, tmp_path)
    taken = {row.id for row in ROWS if row.id in GONE and form.why_left_out(row) is None}
    assert clean(tmp_path, set()) == []
    assert not any(
        each.encode() in clean_copy.ID.findall(data) for each in taken for data in whole(tmp_path).values()
    )


def test_words_that_came_as_blanks_are_taken_out(tmp_path):
    form, row = FORMATS["text"], next(row for row in ROWS if row.id == "a3")
    files = training.files(form, ROWS)
    blank = files["soft-labels.jsonl"].splitlines(True)
    for number, line in enumerate(blank):
        if json.loads(line)["id"] == row.id:
            soft = json.dumps(json.loads(line)["soft"], ensure_ascii=False, sort_keys=True)
            blank[number] = line.replace(
                soft.encode(), b'{"blank": "' + b" " * (len(soft.encode()) - 13) + b'"}'
            )
    files["soft-labels.jsonl"] = b"".join(blank)
    sums = [f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in files.items() if name != SUMS]
    files[SUMS] = "".join(sums).encode()
    for path, data in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    assert clean(tmp_path, set()) == []
    assert not any(b"a3" in clean_copy.ID.findall(data) for data in whole(tmp_path).values())


AT = pytest.mark.parametrize("at", ["open", "replace", "unlink"])


@AT
def test_killed_at_any_step_it_is_finished_by_the_next_run(form, tmp_path, at):
    killed_at_any_step(form, tmp_path, at, GONE, as_recalled)


@AT
@pytest.mark.parametrize("name", PACKED)
def test_killed_at_any_step_the_next_run_takes_out_what_came_as_silence(name, tmp_path, at):
    """tests/releases/test_clean_copy.py does so with clips that are files."""
    killed_at_any_step(FORMATS[name], tmp_path, at, set(), silent_copy)


def as_recalled(form, folder):
    training.write(form, folder, ROWS)


def killed_at_any_step(form, tmp_path, at, gone, make):
    """The next run is killed as well, and the last one knows of one more clip. No file is half written."""
    finished = tmp_path / "finished"
    finished.mkdir()
    make(form, finished)
    before = contents(finished)
    assert clean(finished, gone | {"w2"}) == []
    once = contents(finished)
    step, has_died = 0, True
    while has_died:
        step += 1
        folder = tmp_path / str(step)
        folder.mkdir()
        make(form, folder)
        has_died = dies(folder, gone, at, step)
        dies(folder, gone, at, max(step // 2, 1))
        for name, data in contents(folder).items():
            if not name.endswith(".cleaning") and name in once and not name.endswith(".parquet"):
                assert data[-20:] == before[name][-20:] or len(data) < len(before[name])
        assert clean(folder, gone | {"w2"}) == [], (step, at)
        left = contents(folder)
        assert left.keys() == once.keys()
        assert all(readable(name, left[name]) == readable(name, once[name]) for name in left if name != SUMS)
        whole(folder)


def dies(folder, gone, at, step):
    """Whether a run that is killed at this step got that far."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    left, kept = [step], getattr(Path, at)

    def counted(*args, **kwargs):
        left[0] -= at != "open" or args[1:] == ("wb",)
        if not left[0]:
            os._exit(9)
        return kept(*args, **kwargs)

    setattr(Path, at, counted)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    clean(folder, gone)
    os._exit(0)


@pytest.mark.parametrize("name", ["parquet", "parquet-labels"])
def test_without_pyarrow_it_says_what_to_install_and_cleans_the_rest(name, tmp_path, monkeypatch):
    monkeypatch.setattr(clean_copy, "pyarrow", None)
    training.write(FORMATS[name], tmp_path, ROWS)
    assert clean(tmp_path, set()) == clean(tmp_path, {"z9"}) == []
    wrong = clean(tmp_path)
    assert wrong and all("pip install pyarrow" in line and ".parquet" in line for line in wrong)
    assert not any(
        each in clean_copy.ID.findall((tmp_path / "soft-labels.jsonl").read_bytes()) for each in gone_ids()
    )
    monkeypatch.undo()
    assert clean(tmp_path) == []
    whole(tmp_path)


def test_without_pyarrow_a_silent_sound_in_a_table_is_noticed(tmp_path, monkeypatch):
    monkeypatch.setattr(clean_copy, "pyarrow", None)
    silent_copy(FORMATS["parquet"], tmp_path)
    assert any("pip install pyarrow" in line for line in clean(tmp_path, set()))


def test_a_damaged_shard_is_named_and_left_alone(tmp_path):
    training.write(FORMATS["webdataset"], tmp_path, ROWS)
    shard = sorted(tmp_path.rglob("train-*.tar"))[0]
    shard.write_bytes(shard.read_bytes()[:1000])
    before = shard.read_bytes()
    wrong = clean(tmp_path)
    assert any(shard.relative_to(tmp_path).as_posix() in line for line in wrong)
    assert shard.read_bytes() == before and len(wrong) == 1


def test_a_shard_keeps_its_pairs(tmp_path):
    training.write(FORMATS["lhotse-shar"], tmp_path, ROWS)
    clean(tmp_path)
    for shard in sorted(tmp_path.rglob("recording.*.tar")):
        cuts = shard.with_name(shard.name.replace("recording", "cuts").replace(".tar", ".jsonl"))
        ids = [json.loads(line)["id"] for line in cuts.read_text().splitlines()]
        with tarfile.open(shard) as tar:
            assert tar.getnames() == [f"{each}.{end}" for each in ids for end in ("wav", "json")]
