"""Each format is read by the programs of those who train on it: the same clips, labels and samples come out.

Nothing is contacted: the programs fail if they try (tests/readers/programs/reading.py).
"""

import hashlib
import http.server
import threading
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from datasets.releases import formats
from datasets.releases.formats import (
    common_voice,
    deepspeech,
    hf_audiofolder,
    kaldi,
    layout,
    lhotse_shar,
    ljspeech,
    parquet,
    parquet_labels,
    text,
    webdataset,
)
from datasets.releases.formats.hub import SPLITS
from datasets.releases.formats.transcripts import spoken
from tests.support import training
from tests.support.training import RELEASE, SENTENCES, SPOKEN, WAKE_WORDS

pytestmark = pytest.mark.thorough

KINDS = {
    "sentences": SENTENCES,
    "wake words for everyone": list(map(training.for_everyone, WAKE_WORDS)),
    "both": RELEASE,
}
EACH_KIND = pytest.mark.parametrize("rows", KINDS.values(), ids=KINDS)


def digest(row):
    return hashlib.sha256(training.samples(row).tobytes()).hexdigest()


def expected(form, rows, no_label=None, splits=None):
    """What a reader must find of each clip, by its id."""
    return {
        row.id: {
            "id": row.id,
            "speaker": row.speaker,
            "split": splits[row.split] if splits else row.split,
            "text": spoken(row),
            "label": row.label or no_label,
            "language": row.language,
            "sound": digest(row),
        }
        for row in rows
        if form.why_left_out(row) is None
    }


def agree(records, wanted):
    """Whether the records are those that are wanted, each once, in all that they say."""
    assert sorted(record["id"] for record in records) == sorted(wanted)
    for record in records:
        known = wanted[record["id"]]
        assert record.items() <= (known | {name: record[name] for name in record.keys() - known}).items()


def subset_folders(folder):
    """Where the files of each subset are."""
    named = [path for path in folder.iterdir() if path.name.startswith(("transcription-", "wake-word-en"))]
    return sorted(named) or [folder]


@EACH_KIND
@pytest.mark.parametrize("form", [hf_audiofolder, parquet, webdataset], ids=lambda form: form.NAME)
def test_hugging_face_loads_every_clip_with_its_sound(read, tmp_path, form, rows):
    records = read("read_huggingface", training.write(form, tmp_path / "copy", rows))
    no_label = None if form is parquet else ""
    agree(records, expected(form, rows, no_label, SPLITS))
    names = {subset.name if subset.folder else "default" for subset in training.in_subsets(rows)[0]}
    assert {record["config"] for record in records} == names


@EACH_KIND
def test_hugging_face_loads_labels_without_sound(read, tmp_path, rows):
    records = read("read_huggingface", training.write(parquet_labels, tmp_path / "copy", rows))
    agree(records, expected(parquet_labels, rows, splits=SPLITS))


def test_hugging_face_loads_several_shards(read, tmp_path, monkeypatch):
    monkeypatch.setattr(layout, "BLOCK_ROWS", 2)
    many = [replace(SPOKEN, id=f"a{number}", text=f"{number}") for number in range(6)]
    for form in (parquet, webdataset):
        monkeypatch.setattr(form, "SHARD_BYTES", 3 * SPOKEN.size)
        folder = training.write(form, tmp_path / form.NAME, many)
        assert len(list((folder / "data").iterdir())) == 3
        agree(read("read_huggingface", folder), expected(form, many, None if form is parquet else "", SPLITS))


@EACH_KIND
def test_lhotse_reads_shar(read, tmp_path, rows):
    folder = training.write(lhotse_shar, tmp_path / "copy", rows)
    agree(read("read_lhotse", "shar", *subset_folders(folder)), expected(lhotse_shar, rows))


def test_lhotse_reads_several_shards(read, tmp_path, monkeypatch):
    monkeypatch.setattr(layout, "BLOCK_ROWS", 2)
    monkeypatch.setattr(lhotse_shar, "SHARD_BYTES", 3 * SPOKEN.size)
    many = [replace(SPOKEN, id=f"a{number}", text=f"{number}") for number in range(6)]
    folder = training.write(lhotse_shar, tmp_path / "copy", many)
    assert (folder / "train/recording.000002.tar").exists()
    agree(read("read_lhotse", "shar", folder), expected(lhotse_shar, many))


@EACH_KIND
def test_lhotse_reads_kaldi_directories(read, tmp_path, rows):
    folder = training.write(kaldi, tmp_path / "copy", rows)
    agree(read("read_lhotse", "kaldi", *subset_folders(folder)), expected(kaldi, rows))


@EACH_KIND
def test_webdataset_reads_its_shards(read, tmp_path, rows):
    folder = training.write(webdataset, tmp_path / "copy", rows)
    shards = [path for each in subset_folders(folder) for path in sorted((each / "data").glob("*.tar"))]
    agree(read("read_webdataset", *shards), expected(webdataset, rows, no_label=""))


def test_webdataset_reads_several_shards_by_their_braces(read, tmp_path, monkeypatch):
    monkeypatch.setattr(layout, "BLOCK_ROWS", 2)
    monkeypatch.setattr(webdataset, "SHARD_BYTES", 3 * SPOKEN.size)
    many = [replace(SPOKEN, id=f"a{number}") for number in range(6)]
    folder = training.write(webdataset, tmp_path / "copy", many)
    agree(read("read_webdataset", f"{folder}/data/train-{{0000..0002}}.tar"), expected(webdataset, many, ""))


class Ranges(http.server.SimpleHTTPRequestHandler):
    """Serves files and parts of them, and counts the bytes."""

    sent = 0

    def do_HEAD(self):
        self.answer(with_body=False)

    def do_GET(self):
        self.answer(with_body=True)

    def answer(self, with_body):
        content = Path(self.translate_path(self.path)).read_bytes()
        asked = self.headers["Range"]
        first, last = (int(each) for each in asked.removeprefix("bytes=").split("-")) if asked else (0, None)
        part = content[first : None if last is None else last + 1]
        self.send_response(206 if asked else 200)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(part)))
        if asked:
            self.send_header("Content-Range", f"bytes {first}-{first + len(part) - 1}/{len(content)}")
        self.end_headers()
        if with_body:
            Ranges.sent += len(part)
            self.wfile.write(part)

    def log_message(self, *_args):
        pass


@pytest.fixture
def served(tmp_path):
    """The address of a folder, until the test ends."""
    Ranges.sent = 0
    handler = partial(Ranges, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_duckdb_asks_for_labels_over_http(read, tmp_path, served):
    training.write(parquet_labels, tmp_path / "copy", WAKE_WORDS)
    found = read("read_duckdb", f"{served}/copy/data/test-00000-of-00001.parquet")
    assert found["counts"] == {"yes": 1, "noise": 1}
    assert [row[:3] for row in found["rows"]] == [["w4", "hey mycroft", "test"], ["w5", "", "test"]]


def test_duckdb_fetches_no_sound_to_count_labels(read, tmp_path, served):
    many = [replace(WAKE_WORDS[0], id=f"w{number:03}") for number in range(150)]
    training.write(parquet, tmp_path / "copy", many)
    shard = "copy/data/train-00000-of-00001.parquet"
    found = read("read_duckdb", f"{served}/{shard}")
    assert found["counts"] == {"yes": 150}
    assert [row[0] for row in found["rows"]] == [row.id for row in many]
    assert 0 < Ranges.sent < (tmp_path / shard).stat().st_size / 10


def pandas_tables(read, form, folder, pattern):
    paths = sorted(folder.rglob(pattern))
    found = read("read_pandas", form.NAME, *paths)
    return {path.relative_to(folder).as_posix(): found[str(path)] for path in paths}


def test_pandas_reads_deepspeech_tables(read, tmp_path):
    folder = training.write(deepspeech, tmp_path / "copy", SENTENCES)
    tables = pandas_tables(read, deepspeech, folder, "*.csv")
    assert tables["train.csv"] == [
        {"wav_filename": "clips/a1.wav", "wav_filesize": 64_044, "transcript": "qué día"},
        {"wav_filename": "clips/a3.wav", "wav_filesize": 64_044, "transcript": "nan"},
    ]
    assert (tables["dev.csv"], len(tables["test.csv"])) == ([], 1)


def test_pandas_reads_common_voice_tables(read, tmp_path):
    folder = training.write(common_voice, tmp_path / "copy", SENTENCES)
    tables = pandas_tables(read, common_voice, folder, "*.tsv")
    agree(
        [
            {"id": line["path"].removesuffix(".wav"), "split": split, "text": line["sentence"]}
            | {"speaker": line["client_id"], "language": line["locale"]}
            for split in ("train", "dev", "test")
            for line in tables[f"es/{split}.tsv"]
        ],
        expected(common_voice, SENTENCES),
    )
    every = {line["path"] for line in tables["es/validated.tsv"]}
    assert every == {line["clip"] for line in tables["es/clip_durations.tsv"]}
    assert (tables["es/other.tsv"], tables["es/invalidated.tsv"]) == ([], [])


def test_pandas_reads_ljspeech_tables(read, tmp_path):
    folder = training.write(ljspeech, tmp_path / "copy", SENTENCES)
    tables = pandas_tables(read, ljspeech, folder, "metadata.csv")
    assert tables["s1/metadata.csv"] == [
        {"0": "a1", "1": "qué día", "2": "qué día"},
        {"0": "a3", "1": "nan", "2": "nan"},
    ]


@EACH_KIND
@pytest.mark.parametrize(
    ("form", "pattern"), [(parquet, "*.parquet"), (parquet_labels, "*.parquet"), (text, "[td]*.jsonl")]
)
def test_pandas_reads_labels(read, tmp_path, form, pattern, rows):
    tables = pandas_tables(read, form, training.write(form, tmp_path / "copy", rows), pattern)
    found = [line for lines in tables.values() for line in lines]
    agree(found, expected(form, rows))


@EACH_KIND
def test_pyarrow_pandas_and_duckdb_read_single_votes_and_find_the_same_majority(read, tmp_path, rows):
    voted = list(map(training.voted, rows))
    folder = training.write(text, tmp_path / "copy", voted, training.WITH_VOTES)
    found = read("read_votes", folder / "votes.parquet")
    settled = {row.id: row.answer for row in voted}
    assert found["pyarrow"] == found["pandas"] == settled
    assert found["duckdb"] == [[each, settled[each], 3, 2.5, "2026-05-03"] for each in sorted(settled)]
    listed = {(row.id, *vote) for row in voted for vote in row.single_votes}
    assert {tuple(row.values()) for row in found["rows"]} == listed


@pytest.mark.parametrize("form", [hf_audiofolder, parquet, webdataset], ids=lambda form: form.NAME)
def test_hugging_face_takes_single_votes_for_no_clips(read, tmp_path, form):
    voted = list(map(training.voted, RELEASE))
    records = read("read_huggingface", training.write(form, tmp_path / "copy", voted, training.WITH_VOTES))
    agree(records, expected(form, voted, None if form is parquet else "", SPLITS))


def test_a_reader_that_contacts_anybody_fails(read, tmp_path):
    with pytest.raises(AssertionError, match="a reader wanted to contact"):
        read("read_duckdb", "http://tags.example/labels.parquet")


def test_every_format_is_read_here_or_by_its_trainers_rules():
    by_rules = {"nemo", "precise", "openwakeword", "microwakeword"}
    here = {
        form.NAME
        for form in (
            *(hf_audiofolder, parquet, parquet_labels, webdataset, lhotse_shar, kaldi),
            *(deepspeech, common_voice, ljspeech, text),
        )
    }
    assert by_rules | here == formats.FORMATS.keys()
