"""The layouts of other collections are understood, or refused by the line; nothing is passed over."""

import json

import pytest

from datasets.clips.sources import BadSource
from datasets.imports import planning, report, running, tables
from datasets.imports.refusals import ImportRefused
from datasets.models import Clip, Import, Task
from tests.conftest import NOW

from .conftest import run_to_the_end, sound, start, uploads


def said(campaign):
    """{speaker: reference} of the clips of a campaign."""
    tasks = Task.objects.filter(campaign=campaign).select_related("clip__contributor__data_key", "campaign")
    return {task.clip.contributor.pseudonym.rpartition(":")[2]: task.reference for task in tasks}


def refused(run):
    return {each.name: each.reason for each in report.refused(run)}


def proposed(run):
    return [str(reading) for reading in planning.preview(run).readings]


COMMON_VOICE = (
    "client_id\tpath\tsentence_id\tsentence\tsentence_domain\tup_votes\tdown_votes\tage\tgender\taccents\t"
    "variant\tlocale\tsegment\n"
    'ann\tone.mp3\t1\t"Yes", she said\t\t2\t0\ttwenties\t\t\t\ten\t\n'
    "bob\ttwo.mp3\t2\tgood night\t\t2\t0\t\t\t\t\ten\t\n"
)


def test_common_voice(bring, sentences):
    files = {f"cv/en/clips/{name}.mp3": sound(number) for number, name in enumerate(("one", "two"))}
    run = bring(
        files | {"cv/en/validated.tsv": COMMON_VOICE.encode(), "cv/en/other.tsv": b"client_id\tpath\n"},
        sentences,
    )
    assert proposed(run)[0] == "columns:cv/en/validated.tsv"
    shown = planning.preview(run)
    fields = {column.name: column.field for column in shown.columns if column.field}
    assert fields == {"client_id": "speaker", "path": "path", "sentence": "transcript", "locale": "language"}
    assert [column.name for column in shown.columns if column.is_personal] == [
        "age",
        "gender",
        "accents",
        "variant",
    ]
    assert start(run)["added"] == 2
    assert said(sentences) == {"ann": '"Yes", she said', "bob": "good night"}


def test_librispeech(bring, sentences):
    run = bring(
        {
            "dev/84/121123/84-121123-0000.flac": sound(1),
            "dev/84/121123/84-121123-0001.flac": sound(2),
            "dev/84/121123/84-121123.trans.txt": b"84-121123-0000 GO ON\n84-121123-0001 STOP\n",
            "dev/99/1/99-1-0000.flac": sound(3),
            "dev/99/1/99-1.trans.txt": b"99-1-0000 WHY NOT\n99-1-0001 LOST\n",
        },
        sentences,
    )
    assert proposed(run)[0] == "librispeech:"
    first = planning.preview(run).rows[0]
    assert (first.speaker, first.transcript) == ("84", "GO ON")
    assert start(run) == {"waiting": 0, "added": 3, "held": 0, "refused": 1}
    assert said(sentences)["99"] == "WHY NOT"
    assert refused(run) == {"99-1.trans.txt, line 2: 99-1-0001": "there is no such file"}


def test_nemo(bring, sentences):
    rows = [
        {"audio_filepath": "/data/corpus/wavs/a.wav", "duration": 1.0, "text": "one", "speaker": "ann"},
        {"audio_filepath": "wavs/b.wav", "duration": 1.0, "text": "two", "speaker": "bob", "lang": "en"},
        {"audio_filepath": "wavs/c.wav", "duration": 1.0, "text": "part", "offset": 3.5},
    ]
    lines = "\n".join(map(json.dumps, rows)) + "\n"
    files = {f"corpus/wavs/{name}.wav": sound(number) for number, name in enumerate("abc")}
    run = bring(files | {"corpus/train_manifest.json": lines.encode()}, sentences)
    assert start(run) == {"waiting": 0, "added": 2, "held": 0, "refused": 2}
    assert said(sentences) == {"ann": "one", "bob": "two"}
    assert refused(run)["corpus/wavs/c.wav"] == "no row of the table names it"


def test_kaldi(bring, sentences):
    files = {f"wav/{name}.wav": sound(number) for number, name in enumerate(("u1", "u2"))}
    run = bring(
        files
        | {
            "train/wav.scp": b"ann-u1 /old/disk/wav/u1.wav\nbob-u2 sph2pipe x.sph |\ncy-u3\twav/u2.wav\n",
            "train/text": "ann-u1 grüß dich\ncy-u3 two\n".encode(),
            "train/utt2spk": b"ann-u1 ann\nbob-u2 bob\ncy-u3 cy\n",
        },
        sentences,
    )
    assert proposed(run)[0] == "kaldi:train/wav.scp"
    assert start(run) == {"waiting": 0, "added": 1, "held": 0, "refused": 3}
    assert said(sentences) == {"ann": "grüß dich"}
    assert refused(run)["wav.scp, line 2: bob-u2"] == "its row is a command, not a file"


def test_kaldi_with_segments_is_refused(bring, sentences):
    run = bring({"a.wav": sound(1), "wav.scp": b"a a.wav\n", "segments": b"s a 0 1\n"}, sentences)
    with pytest.raises(BadSource, match="table-of-segments"):
        start(run)
    assert planning.preview(run).fault is not None and Import.objects.get().state == "gathering"


def test_precise_folders(bring, juniper):
    run = bring(
        {
            "hey/wake-word/a.wav": sound(1),
            "hey/not-wake-word/noise/b.wav": sound(2),
            "hey/test/wake-word/c.wav": sound(3),
        }
    )
    assert proposed(run) == ["precise-folders:", "files:"]
    assert start(run)["added"] == 3
    truths = sorted(Task.objects.values_list("plain_reference", flat=True))
    assert truths == ["not-wake-word", "wake-word", "wake-word"]


def test_precise_tags(bring, juniper):
    tags = b"a\twake-word\nb\tnot-wake-word\n"
    run = bring({"data/x/a.wav": sound(1), "data/x/b.wav": sound(2), "data/tags.txt": tags})
    assert start(run)["added"] == 2
    assert sorted(Task.objects.values_list("plain_reference", flat=True)) == ["not-wake-word", "wake-word"]


def test_recordings_alone(bring, juniper):
    assert start(bring({"a.wav": sound(1), "folder/b.flac": sound(2)}))["added"] == 2
    assert set(Task.objects.values_list("plain_reference", flat=True)) == {""}


def test_columns_are_what_their_sender_says(bring, sentences):
    table = "Datei;Wer;Text;Alter;Bemerkung\na.wav;ann;good day;40;x\nb.wav;bob;good night;50;y\n"
    files = {"a.wav": sound(1), "b.wav": sound(2), "liste.csv": table.encode()}
    run = bring(files, sentences)
    with pytest.raises(BadSource, match="manifest-without-path-column"):
        start(run)
    assert [column.is_unknown for column in planning.preview(run).columns][:2] == [True, True]
    fields = ["path", "speaker", "transcript", "", ""]
    assert start(run, fields=fields)["added"] == 2
    assert said(sentences) == {"ann": "good day", "bob": "good night"}


def test_no_choice_reads_what_this_site_may_not_hold(bring, sentences):
    run = bring({"a.wav": sound(1), "t.csv": b"path,age\na.wav,forty\n"}, sentences)
    start(run, fields=["path", "transcript"])
    assert said(sentences) == {"import": ""} or set(said(sentences).values()) == {""}


def test_a_broken_table_is_refused_by_its_line_before_anything_is_added(bring, sentences):
    run = bring({"a.wav": sound(1), "m.jsonl": b'{"audio_filepath": "a.wav"}\n{"text": 1}\n'}, sentences)
    with pytest.raises(BadSource, match="line=2"):
        start(run, reading="nemo:m.jsonl")
    assert start(run, reading="files:")["added"] == 1 and Clip.objects.count() == 1


def test_rows_that_contradict_each_other_are_refused(bring, sentences):
    table = b"path,transcript\na.wav,one\na.wav,one\n./a.wav,two\n"
    run = bring({"a.wav": sound(1), "t.csv": table}, sentences)
    assert start(run) == {"waiting": 0, "added": 1, "held": 0, "refused": 1}
    [(name, reason)] = refused(run).items()
    assert name == "line 4: ./a.wav" and reason == "line 2 names the same file and says something else of it"


def test_an_unknown_reading_and_an_import_without_sounds_are_refused(bring):
    run = bring({"a.wav": sound(1)})
    with pytest.raises(ImportRefused, match="unknown-table"):
        start(run, reading="columns:other.csv")
    with pytest.raises(ImportRefused, match="without-sounds"):
        start(bring({"t.csv": b"path\n"}), reading="files:")


@pytest.mark.parametrize(
    ("path", "by_id", "number"),
    [
        ("a/x.wav", False, 1),
        ("a/./x.wav", False, 1),
        ("/home/me/corpus/a/x.wav", False, 1),
        ("C:/corpus/a/x.wav", False, 1),
        ("b/x", True, 2),
        ("y", True, 3),
        ("x", True, None),
        ("y", False, None),
        ("x.wav", False, None),
    ],
)
def test_a_row_means_one_file_or_none(path, by_id, number):
    index = tables.Index({"a/x.wav": 1, "b/x.wav": 2, "b/y.flac": 3})
    assert index.find(path, by_id=by_id) == number


def test_a_table_that_is_lost_is_said_and_ends_the_import(bring, own_home):
    files = {"a.wav": sound(1), "t.csv": b"path\na.wav\n"}
    run, other = bring(files), bring(files)
    running.start(run, NOW)
    for path in uploads(own_home):
        path.unlink()
    assert planning.preview(other).fault.code == "source-missing"
    run_to_the_end(run)
    assert run.state == "cancelled" and not Clip.objects.exists()
