"""croissant.json: mlcroissant validates it and reads every record; it changes with no word and no size."""

import csv
import json
import tarfile
from dataclasses import replace

import mlcroissant
import pyarrow
import pytest
from etils import epath
from pyarrow import parquet

from datasets.releases import formats
from datasets.releases.formats.croissant import croissant
from datasets.releases.formats.tables import INTEGER, MEDIA, TEXT, Column, File, kind_of
from tests.support import training
from tests.support.described import CLEARING, FULL, PLAIN, Form, summary
from tests.support.mutants import mutant
from tests.support.training import SENTENCES, WAKE_WORDS

LABELS = [
    {"answer": "yes", "confidence": 0.9, "id": "a1", "soft": {"yes": 2}, "speaker": "s1", "split": "train"},
    {"answer": "no", "confidence": 0.8, "id": "b2", "soft": {"no": 3}, "speaker": "s2", "split": "dev"},
    {"answer": "qué día", "confidence": 1.0, "id": "c3", "soft": {}, "speaker": "s3", "split": "test"},
]
CLIPS = [
    Column("wav_filename"),
    Column("wav_filesize", INTEGER),
    Column("transcript", TEXT, "What was said."),
]
VOTES = [Column("clip"), Column("annotator", TEXT, "Of this release alone."), Column("answer")]
PLAIN_FILES = [("README.md", 900, "markdown"), ("LICENSE.txt", 90, "text"), ("checksums.sha256", 9, "text")]


class Tables(Form):
    TABLES = {"*.csv": tuple(CLIPS), "manifests/*.json": (Column("audio_filepath"), Column("text"))}
    KINDS = {"manifests/*": "jsonl"}  # as NeMo calls them


def write(copy):
    """A researcher's copy with tables of each kind; returns the path of its croissant.json."""
    (copy / "clips").mkdir(parents=True)
    (copy / "manifests").mkdir()
    for row in LABELS:
        (copy / "clips" / f"{row['id']}.wav").write_bytes(f"RIFF of {row['id']}".encode())
    write_lines(copy / "soft-labels.jsonl", LABELS)
    for split in ("train", "dev", "test"):
        rows = [row for row in LABELS if row["split"] == split and split != "dev"]
        with (copy / f"{split}.csv").open("w", newline="") as file:
            table = csv.writer(file)
            table.writerow([column.name for column in CLIPS])
            table.writerows([f"clips/{row['id']}.wav", 10, row["answer"]] for row in rows)
        lines = [{"audio_filepath": f"clips/{row['id']}.wav", "text": row["answer"]} for row in rows]
        write_lines(copy / "manifests" / f"{split}.json", lines)
    votes = [{"clip": row["id"], "annotator": f"v{n}", "answer": "yes"} for row in LABELS for n in range(2)]
    for shard in range(2):
        shard_path = copy / f"votes-0000{shard}-of-00002.parquet"
        parquet.write_table(pyarrow.Table.from_pylist(votes[shard::2]), shard_path)
    files = [described(copy, path) for path in sorted(copy.rglob("*.*")) if path.suffix != ".wav"]
    text = croissant(PLAIN, summary(clips=3, speakers=3), Tables, [*files, *PLAIN_FILES])
    (copy / "croissant.json").write_text(text)
    return copy / "croissant.json"


def write_lines(path, rows):
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))


def described(copy, path):
    columns = tuple(VOTES) if path.suffix == ".parquet" else ()
    return File(path.relative_to(copy).as_posix(), path.stat().st_size, kind_of(path.name), columns)


def records(path, name, **given):
    found = mlcroissant.Dataset(str(path), **given).records(name)
    return [{key.split("/")[1]: _text(value) for key, value in record.items()} for record in found]


def _text(value):
    return value.decode() if isinstance(value, bytes) else value


def made(about=PLAIN, counts=None, form=Form, files=()):
    return json.loads(croissant(about, counts or summary(clips=3), form, files))


def test_every_record_of_the_labels_is_read_from_the_folder(tmp_path):
    found = records(write(tmp_path / "copy"), "labels")
    assert found == [{key: row[key] for key in row if key != "soft"} for row in LABELS]


def test_every_record_of_tables_in_csv_json_lines_and_parquet_is_read(tmp_path):
    path = write(tmp_path / "copy")
    assert sorted(row["transcript"] for row in records(path, "csv")) == ["qué día", "yes"]
    assert {row["audio_filepath"] for row in records(path, "manifests")} == {
        "clips/a1.wav",
        "clips/c3.wav",
    }
    assert len(records(path, "votes")) == 6


def test_each_sound_of_the_archive_comes_with_its_own_label(tmp_path, monkeypatch):
    path = write(tmp_path / "copy")
    with tarfile.open(tmp_path / "made.tar", "w") as tar:
        tar.add(path.parent, arcname="")
    unpacked = epath.Path(tmp_path / "unpacked")  # not in the home of whoever runs the tests
    monkeypatch.setattr("mlcroissant._src.operation_graph.operations.extract.EXTRACT_PATH", unpacked)
    found = records(path, "clips", mapping={"archive": tmp_path / "made.tar"})
    assert {row["id"]: (row["audio"], row["answer"]) for row in found} == {
        row["id"]: (f"RIFF of {row['id']}", row["answer"]) for row in LABELS
    }


@pytest.mark.parametrize("form", formats.FORMATS.values(), ids=formats.FORMATS)
@pytest.mark.parametrize("release", [SENTENCES, WAKE_WORDS], ids=["sentences", "wake words"])
def test_every_record_of_an_archive_is_read(tmp_path, form, release):
    taken = {row.id for row in release if form.why_left_out(row) is None}
    if not taken:
        return
    path = training.write(form, tmp_path, release) / "croissant.json"
    assert {row["id"] for row in records(path, "labels")} == taken
    sets = {each["@id"] for each in json.loads(path.read_text())["recordSet"]}
    for name in sets - {"labels", "splits", "clips"}:
        found = records(path, name)
        # Of Common Voice's clips those without the wake word are in a table of their own.
        heard = [row for row in release if row.id in taken and row.label in (None, "yes")]
        assert len(found) == (len(heard) if name == "validated" else len(taken))


@pytest.mark.parametrize("form", ["parquet-labels", "deepspeech"])
def test_every_single_vote_is_read(tmp_path, form):
    rows = list(map(training.voted, training.SENTENCES))
    folder = training.write(formats.find(form), tmp_path / "copy", rows, training.WITH_VOTES)
    names = ("id", "annotator", "answer", "weight", "day")
    found = [tuple(record[name] for name in names) for record in records(folder / "croissant.json", "votes")]
    taken = [row for row in rows if formats.find(form).why_left_out(row) is None]
    assert sorted(each[:3] for each in found) == sorted(
        (row.id, *vote[:2]) for row in taken for vote in row.single_votes
    )
    assert {each[3] for each in found} == {0.5, 1.0}


def test_the_splits_have_the_names_that_croissant_gives_them(tmp_path):
    found = records(write(tmp_path / "copy"), "splits")
    assert {row["name"]: row["url"] for row in found} == {
        "train": "cr:TrainingSplit",
        "dev": "cr:ValidationSplit",
        "test": "cr:TestSplit",
    }


@pytest.mark.parametrize(
    "about",
    [
        PLAIN,
        FULL,
        replace(FULL, is_public=True, clearing=CLEARING, is_disguised=True),
        replace(PLAIN, licence=""),
        replace(PLAIN, licence="LicenseRef-ours"),
        replace(FULL, has_single_votes=True),
    ],
    ids=["plain", "full", "public", "no licence", "licence of one's own", "single votes"],
)
@pytest.mark.parametrize("clips", [0, 1, 3])
def test_mlcroissant_validates_it(tmp_path, about, clips):
    (tmp_path / "croissant.json").write_text(
        croissant(about, summary(("en", "es-MX"), clips), Form, PLAIN_FILES)
    )
    found = mlcroissant.Dataset(str(tmp_path / "croissant.json")).metadata
    assert found.ctx.is_v1_1() and not found.ctx.issues.errors
    assert found.name == about.name and found.url == about.page


def test_an_empty_release_describes_no_records():
    assert "recordSet" not in made(counts=summary())


def test_a_table_without_a_row_and_without_a_head_is_not_read():
    """A manifest of an empty split has no bytes, and no reader finds columns in it."""
    files = [("manifests/train.json", 80, "json"), ("manifests/dev.json", 0, "json")]
    sets = {each["@id"]: each for each in made(form=Tables, files=files)["distribution"]}
    assert sets["manifests-files"]["includes"] == ["manifests/train.json"]


def test_a_table_with_columns_of_its_own_is_not_one_of_the_formats():
    """previous-ids.csv lies beside the tables of a format that calls all CSV files its own."""
    ids = (Column("previous_id"), Column("id"))
    files = [File("train.csv", 9, "csv"), File("previous-ids.csv", 9, "csv", ids)]
    sets = {each["@id"]: each for each in made(form=Tables, files=files)["recordSet"]}
    assert [field["name"] for field in sets["previous-ids"]["field"]] == ["previous_id", "id"]
    assert len(sets["csv"]["field"]) == len(CLIPS)


def test_numbered_shards_are_one_glob():
    files = [(f"train-{n:05}-of-01000.tar", 10, "tar") for n in range(1000)]
    found = made(files=files)["distribution"]
    assert [each["includes"] for each in found if each["@id"] == "other-tar"] == [["train-*-of-*.tar"]]


def test_a_format_with_its_sounds_inside_says_nothing_of_loose_sounds():
    class Inside(Form):
        SOUNDS = ()

    assert "archive" not in [each["@id"] for each in made(form=Inside)["distribution"]]


@pytest.mark.parametrize("kind", MEDIA)
def test_every_kind_of_file_has_a_media_type(kind):
    assert "/" in made(files=[("a.b", 1, kind)])["distribution"][-1]["encodingFormat"]


def test_an_unknown_kind_of_file_is_refused():
    with pytest.raises(KeyError, match="wax"):
        made(files=[("a.b", 1, "wax")])


@mutant(
    "a description for programs says of annotators that they are agents, and of no one who they are",
    "datasets/releases/formats/croissant_conduct.py",
    kept_by='return {"@type": "prov:Agent", "prov:label": label}',
    broken='return {"@type": "prov:Person", "prov:label": label}',
)
def test_annotators_are_agents_and_no_one_is_a_person():
    document = made(FULL, form=Tables, files=[("soft-labels.jsonl", 9, "jsonl")])
    assert "Person" not in json.dumps(document)
    answer = next(
        field for each in document["recordSet"] for field in each["field"] if field["@id"] == "labels/answer"
    )
    assert answer["prov:wasAttributedTo"]["@type"] == "prov:Agent"
    assert document["rai:annotatorDemographics"][0] == "Not collected."


def test_the_terms_are_an_offer():
    offer = made()["usageInfo"]
    assert "odrl:Offer" in offer["@type"] and offer["odrl:target"]["@id"] == PLAIN.page
    duty = offer["odrl:obligation"][0]
    assert duty["odrl:target"]["@id"] == PLAIN.recalls
    assert duty["odrl:constraint"]["odrl:rightOperand"]["@value"] == "P30D"
    assert {"@id": "odrl:distribute"} in [each["odrl:action"] for each in offer["odrl:prohibition"]]


def test_a_public_release_may_be_passed_on():
    offer = made(replace(PLAIN, is_public=True))["usageInfo"]
    assert "odrl:distribute" not in json.dumps(offer)
    assert offer["odrl:obligation"][0]["odrl:action"] == {"@id": "odrl:delete"}


def test_it_says_from_which_collections_and_versions_it_is_made():
    derived = made(FULL)["prov:wasDerivedFrom"]
    assert {"@type": "prov:Entity", "prov:label": "Voces *del* sur"} in derived
    assert derived[-1]["@id"] == "https://tags.example/releases/spring/"


@mutant(
    "a description for programs does not change when words are blanked",
    "datasets/releases/formats/croissant_files.py",
    kept_by=".paths.append(file.path)",
    broken=".paths.append(file.path * file.size)",
)
def test_it_depends_on_no_word_and_no_size():
    sizes = [
        [("alphabet.txt", size, "text"), ("soft-labels.jsonl", size, "jsonl"), ("train.csv", size, "csv")]
        for size in (100, 200)
    ]
    first, second = (croissant(PLAIN, summary(clips=3), Tables, files) for files in sizes)
    assert first == second


def test_the_same_facts_give_the_same_bytes():
    assert croissant(FULL, summary(clips=3), Form, PLAIN_FILES) == croissant(
        FULL, summary(clips=3), Form, iter(PLAIN_FILES)
    )


def test_titles_break_neither_lines_nor_identifiers():
    document = made(FULL)
    assert document["alternateName"].startswith("Summer | <b>release</b> --- #")
    assert document["name"] == "summer" and document["version"] == "1.2.0"
