"""What each training format has in it, file by file. In tests/readers other programs read them."""

import csv
import hashlib
import io
import json
import tarfile
from dataclasses import replace

import pyarrow.parquet
import pytest

from datasets.releases import formats
from datasets.releases.formats import (
    common_voice,
    deepspeech,
    hf_audiofolder,
    kaldi,
    layout,
    lhotse_shar,
    licence,
    ljspeech,
    microwakeword,
    nemo,
    openwakeword,
    package,
    parquet,
    parquet_labels,
    precise,
    rows,
    text,
    webdataset,
)
from tests.support import training
from tests.support.mutants import mutant
from tests.support.released import refused
from tests.support.training import ABOUT, RELEASE, SENTENCES, SPOKEN, WAKE, WAKE_WORDS, files, planned, sound

EACH = pytest.mark.parametrize("form", formats.FORMATS.values(), ids=formats.FORMATS)


def own(form, rows=RELEASE):
    """The format's own files."""
    return training.own(files(form, rows))


def table(content):
    return list(csv.DictReader(io.StringIO(content.decode("utf-8"))))


def separated_by_tabs(content):
    return list(csv.DictReader(io.StringIO(content.decode()), delimiter="\t", quoting=csv.QUOTE_NONE))


def objects(content):
    return [json.loads(line) for line in content.decode().splitlines()]


def members(content):
    """The files of a tar in their order."""
    with tarfile.open(fileobj=io.BytesIO(content)) as opened:
        return [(member.name, opened.extractfile(member).read()) for member in opened]


def test_a_format_is_found_by_name():
    assert formats.find("deepspeech") is deepspeech
    assert formats.find("parquet-labels") is parquet_labels


def test_an_unknown_format_is_refused_with_a_list_of_the_known():
    with refused(rows.UnknownFormat, r"no format 'mp3'; there are .*deepspeech, .*precise"):
        formats.find("mp3")


# Files that are in every format


def test_soft_labels_have_a_line_for_each_row_of_the_archive():
    lines = objects(files(deepspeech, SENTENCES)["soft-labels.jsonl"])
    assert [line["id"] for line in lines] == ["a2", "a1", "a3"]
    assert lines[1] == {
        "id": "a1",
        "speaker": "s1",
        "split": "train",
        "kind": "transcription",
        "language": "es",
        "campaign": "",
        "answer": "qué día",
        "confidence": 0.9,
        "votes": 3,
        "soft": SPOKEN.soft,
        "licence": "CC0-1.0",
        "source": "browser",
        "seconds": 2.0,
        "snr": None,
        "clipping": None,
        "speech_share": None,
    }
    assert [line["answer"] for line in objects(files(precise, WAKE_WORDS)["soft-labels.jsonl"])] == [
        *("similar", "yes", "noise"),  # dev, test
        *("yes", "no"),
    ]


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
    assert "- Clips: 5, 0:00:08, 4 speakers\n- Language: en, es\n" in text
    assert "| train | 3 | 2 | 0:00:05 |\n| dev | 0 | 0 | 0:00:00 |\n| test | 2 | 2 | 0:00:03 |\n" in text
    assert "| no transcript: a wake-word clip not answered yes | 3 |" in text
    assert "https://tags.example/api/v1/recalls/spring.json" in text


def test_the_licence_is_the_releases():
    assert files(deepspeech)["LICENSE.txt"].startswith(b"SPDX-License-Identifier: CC0-1.0\n")
    other = licence.licences(replace(ABOUT, licence="CC-BY-SA-4.0"))
    assert "SPDX-License-Identifier: CC-BY-SA-4.0" in other
    assert "https://spdx.org/licenses/CC-BY-SA-4.0.html" in other


@EACH
def test_the_same_release_gives_the_same_bytes_in_the_same_order(form):
    shuffled = [replace(row, soft=dict(reversed(row.soft.items()))) for row in RELEASE]
    assert list(files(form).items()) == list(files(form, shuffled).items())


@EACH
def test_the_checksums_come_last_and_cover_every_other_file(form):
    *written, (name, checksums) = files(form).items()
    assert name == "checksums.sha256"
    assert checksums.decode() == "".join(
        f"{hashlib.sha256(data).hexdigest()}  {path}\n" for path, data in written
    )


@EACH
def test_a_format_that_takes_no_row_refuses_the_release(form):
    unusable = [
        row
        for row in (replace(WAKE, for_synthesis=False), replace(SPOKEN, text=""))
        if form.why_left_out(row)
    ]
    for row in unusable:
        with refused(rows.NotRepresentable, f"{form.NAME} can hold no clip of this release: 1 "):
            planned(form, [row])
    assert planned(form, []).summary.clips == 0


@pytest.mark.parametrize("order", [[WAKE, replace(WAKE, id="a")], [WAKE, WAKE]], ids=["falling", "twice"])
def test_rows_out_of_order_are_refused(order):
    with pytest.raises(rows.OutOfOrder):
        package.files(text, ABOUT, [], order, sound)


@pytest.mark.parametrize(
    "wrong",
    [{"id": "../a"}, {"id": ""}, {"id": "a/b"}, {"id": "-rf"}, {"split": "validation"}, {"kind": "song"}],
)
def test_an_impossible_row_is_refused(wrong):
    with pytest.raises(ValueError, match=repr(*wrong.values())):
        replace(SPOKEN, **wrong)


@EACH
def test_with_several_subsets_each_has_a_folder_of_its_own(form):
    folders = {path.partition("/")[0] for path in own(form)}
    assert folders <= {"transcription-es", "wake-word-en-hey-mycroft"}
    assert not any(path.startswith(("transcription-", "wake-word-en")) for path in own(form, WAKE_WORDS[:0]))


# DeepSpeech


def test_deepspeech_writes_a_table_for_each_split():
    written = files(deepspeech, SENTENCES)
    assert written["train.csv"].decode() == (
        "wav_filename,wav_filesize,transcript\nclips/a1.wav,64044,qué día\nclips/a3.wav,64044,nan\n"
    )
    assert written["dev.csv"] == b"wav_filename,wav_filesize,transcript\n"
    assert [line["transcript"] for line in table(written["test.csv"])] == ["o'neill's"]


def test_deepspeech_lists_exactly_its_clips_with_their_sizes():
    written = files(deepspeech, SENTENCES)
    named = [line for split in ("train", "dev", "test") for line in table(written[f"{split}.csv"])]
    assert {line["wav_filename"] for line in named} == {path for path in written if path.startswith("clips/")}
    assert all(len(written[line["wav_filename"]]) == int(line["wav_filesize"]) for line in named)


def test_deepspeech_has_no_other_files():
    clips = {f"clips/{name}.wav" for name in ("a1", "a2", "a3")}
    assert own(deepspeech, SENTENCES).keys() == clips | {"alphabet.txt", "train.csv", "dev.csv", "test.csv"}


def test_the_alphabet_is_every_character_of_the_transcripts_with_the_space_first():
    comment, *letters = files(deepspeech, SENTENCES)["alphabet.txt"].decode().split("\n")
    assert comment.startswith("#")
    assert letters == [" ", *"'adeilnoqsuéí", ""]
    assert set("hey mycroft") - {" "} == set(alphabet(deepspeech, WAKE_WORDS)) - {" ", ""}


def alphabet(form, rows):
    return files(form, rows)["alphabet.txt"].decode().split("\n")[1:]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (SPOKEN, None),
        (replace(SPOKEN, text=""), "nothing said"),
        (replace(SPOKEN, text="turn [unclear] off"), "partly unclear"),
        (replace(SPOKEN, text="[private] calling"), "partly silenced"),
        (replace(SPOKEN, text="channel 4"), "a numeral"),
        (replace(SPOKEN, text="قناة ٤"), "a numeral"),
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


# Wake words


def test_precise_sorts_clips_into_its_folders():
    assert own(precise, WAKE_WORDS).keys() == {
        "wake-word/w1.wav",
        "not-wake-word/w2.wav",
        "not-wake-word/w3.wav",
        "test/wake-word/w4.wav",
        "test/not-wake-word/w5.wav",
    }


def test_openwakeword_has_only_clips_below_the_models_name():
    assert own(openwakeword, WAKE_WORDS).keys() == {
        "hey_mycroft/positive_train/w1.wav",
        "hey_mycroft/negative_train/w2.wav",
        "hey_mycroft/negative_train/w3.wav",
        "hey_mycroft/positive_test/w4.wav",
        "hey_mycroft/negative_test/w5.wav",
    }


def test_microwakeword_keeps_near_misses_and_noise_apart():
    assert own(microwakeword, WAKE_WORDS).keys() == {
        "positive/training/w1.wav",
        "negative/training/w2.wav",
        "hard_negative/validation/w3.wav",
        "positive/testing/w4.wav",
        "noise/testing/w5.wav",
    }


@pytest.mark.parametrize("form", [precise, openwakeword, microwakeword])
def test_a_wake_words_format_leaves_transcriptions_out(form):
    counted = planned(form).summary
    assert counted.left_out == {"a transcription: no wake word was asked for": 5}
    assert counted.clips == 5


@pytest.mark.parametrize("form", [precise, openwakeword, microwakeword])
def test_two_wake_words_have_a_folder_each(form):
    other = replace(WAKE, id="w6", wake_word="Computer!", speaker="s6")
    folders = {path.partition("/")[0] for path in own(form, [WAKE, other])}
    assert folders == {"wake-word-en-computer", "wake-word-en-hey-mycroft"}


def test_one_wake_word_that_was_typed_in_two_ways_is_one():
    assert "wake-word/w2.wav" in files(precise, [WAKE, replace(WAKE, id="w2", wake_word="hey mycroft!")])


# Tables and clips


def test_common_voice_has_all_six_tables_and_the_durations():
    written = own(common_voice, SENTENCES)
    tables = {f"es/{name}.tsv" for name in ("train", "dev", "test", "validated", "invalidated", "other")}
    clips = {f"es/clips/{name}.wav" for name in ("a1", "a2", "a3", "a4")}
    assert written.keys() == tables | clips | {"es/clip_durations.tsv"}
    assert written["es/clip_durations.tsv"].decode() == (
        "clip\tduration[ms]\na4.wav\t2000\na2.wav\t2000\na1.wav\t2000\na3.wav\t2000\n"
    )
    assert separated_by_tabs(written["es/train.tsv"])[0] == {
        "client_id": "s1",
        "path": "a1.wav",
        "sentence_id": "",
        "sentence": "qué día",
        "sentence_domain": "",
        "up_votes": "3",
        "down_votes": "0",
        "age": "",
        "gender": "",
        "accents": "",
        "variant": "",
        "locale": "es",
        "segment": "",
    }
    assert len(separated_by_tabs(written["es/validated.tsv"])) == 4
    assert separated_by_tabs(written["es/other.tsv"]) == []


def test_common_voice_counts_who_heard_the_wake_word():
    written = own(common_voice, WAKE_WORDS)
    (yes,) = separated_by_tabs(written["en/train.tsv"])
    assert (yes["path"], yes["sentence"], yes["up_votes"], yes["down_votes"]) == (
        *("w1.wav", "hey mycroft", "2", "0"),
    )
    not_heard = {line["path"]: line for line in separated_by_tabs(written["en/invalidated.tsv"])}
    assert not_heard.keys() == {"w2.wav", "w3.wav", "w5.wav"}
    assert (not_heard["w2.wav"]["up_votes"], not_heard["w2.wav"]["down_votes"]) == ("1", "3")


def test_audiofolder_has_its_table_beside_the_clips():
    written = own(hf_audiofolder, WAKE_WORDS)
    assert written.keys() == {
        *("data/train/w1.wav", "data/train/w2.wav", "data/train/metadata.jsonl"),
        *("data/validation/w3.wav", "data/validation/metadata.jsonl"),
        *("data/test/w4.wav", "data/test/w5.wav", "data/test/metadata.jsonl"),
    }
    assert objects(written["data/train/metadata.jsonl"])[0] == {
        "file_name": "w1.wav",
        "transcription": "hey mycroft",
        "id": "w1",
        "speaker": "s2",
        "split": "train",
        "kind": "wake-word",
        "language": "en",
        "wake_word": "hey mycroft",
        "label": "yes",
        "seconds": 1.0,
        "confidence": 1.0,
        "votes": 2,
        "campaign": "",
        "licence": "CC0-1.0",
        "source": "device",
    }


def test_nemo_names_each_clip_once_relative_to_its_manifest():
    written = own(nemo)
    for folder in ("transcription-es", "wake-word-en-hey-mycroft"):
        lines = [
            line
            for split in ("train", "dev", "test")
            for line in objects(written[f"{folder}/{split}_manifest.json"])
        ]
        named = [f"{folder}/{line['audio_filepath']}" for line in lines]
        assert len(named) == len(set(named))
        assert set(named) == {path for path in written if path.startswith(f"{folder}/clips/")}
    assert objects(written["wake-word-en-hey-mycroft/train_manifest.json"])[1] == {
        "audio_filepath": "clips/w2.wav",
        "duration": 1.0,
        "text": "",
        "lang": "en",
        "speaker": "s2",
        "label": "no",
    }


def test_kaldi_has_a_sorted_data_directory_for_each_split():
    mixed = [*SENTENCES, replace(SPOKEN, id="b1", speaker="s0"), replace(SPOKEN, id="a0", speaker="s10")]
    written = own(kaldi, mixed)
    assert written["train/text"].decode() == (
        "s0-b1 qué día\ns1-a1 qué día\ns1-a3 nan\ns10-a0 qué día\n"  # "-" sorts before digits
    )
    assert written["train/spk2utt"].decode() == "s0 s0-b1\ns1 s1-a1 s1-a3\ns10 s10-a0\n"
    assert written["train/utt2spk"].decode() == "s0-b1 s0\ns1-a1 s1\ns1-a3 s1\ns10-a0 s10\n"
    assert written["train/wav.scp"].decode().startswith("s0-b1 clips/b1.wav\n")
    assert written["train/utt2lang"].decode().startswith("s0-b1 es\n")
    tables = [content for path, content in written.items() if not path.startswith("clips/")]
    assert all(content.splitlines() == sorted(content.splitlines()) for content in tables)


@pytest.mark.parametrize("size", [1, 2, 3, 400])
def test_kaldi_has_one_line_for_a_speaker_however_the_rows_are_divided(monkeypatch, size):
    monkeypatch.setattr(layout, "BLOCK_ROWS", size)
    many = [replace(SPOKEN, id=f"a{n}", speaker=f"s{n // 4}") for n in range(9)]
    assert own(kaldi, many)["train/spk2utt"].decode() == (
        "s0 s0-a0 s0-a1 s0-a2 s0-a3\ns1 s1-a4 s1-a5 s1-a6 s1-a7\ns2 s2-a8\n"
    )


@mutant(
    "no voice is given for speech synthesis without its speaker's consent to that",
    "datasets/releases/formats/ljspeech.py",
    kept_by="    if not row.for_synthesis:",
    broken="    if False:",
)
def test_a_format_for_synthesis_has_only_speakers_who_agreed_to_it():
    silent = [replace(SPOKEN, id=f"b{n}", speaker="s9", for_synthesis=False) for n in range(2)]
    written = own(ljspeech, [*SENTENCES, *silent])
    assert written.keys() == {
        *("s1/metadata.csv", "s1/wavs/a1.wav", "s1/wavs/a3.wav"),
        *("s3/metadata.csv", "s3/wavs/a2.wav"),
    }
    assert written["s1/metadata.csv"].decode() == "a1|qué día|qué día\na3|nan|nan\n"
    counted = planned(ljspeech, [*SENTENCES, *silent]).summary
    assert counted.left_out == {
        "no consent to speech synthesis": 2,
        "a numeral": 1,
        "partly unclear": 1,
    }


def test_text_has_labels_and_no_sound():
    written = own(text)
    assert not any(path.endswith(".wav") for path in written)
    (similar,) = objects(written["wake-word-en-hey-mycroft/dev.jsonl"])
    assert (similar["id"], similar["label"], similar["text"]) == ("w3", "similar", "")
    assert [line["text"] for line in objects(written["transcription-es/train.jsonl"])] == [
        *("qué día", "nan", "[unclear] noche"),
    ]


# Packs of sounds


def test_webdataset_has_each_sound_beside_its_labels():
    found = members(own(webdataset, SENTENCES)["data/train-0000.tar"])
    assert [name for name, _content in found] == [
        f"{i}.{e}" for i in ("a1", "a3", "a5") for e in ("wav", "json")
    ]
    assert found[0][1] == sound(SPOKEN)
    assert json.loads(found[1][1])["text"] == "qué día"
    assert json.loads(found[1][1])["label"] == ""


def test_shar_has_cuts_and_recordings_in_one_order():
    written = own(lhotse_shar, WAKE_WORDS)
    cuts = objects(written["test/cuts.000000.jsonl"])
    assert [cut["id"] for cut in cuts] == ["w4", "w5"]
    names = [name for name, _content in members(written["test/recording.000000.tar"])]
    assert names == ["w4.wav", "w4.json", "w5.wav", "w5.json"]


@pytest.mark.parametrize(
    ("form", "names"),
    [
        (webdataset, ["data/train-0000.tar", "data/train-0001.tar", "data/train-0002.tar"]),
        (parquet, [f"data/train-0000{n}-of-00003.parquet" for n in range(3)]),
        (parquet_labels, [f"data/train-0000{n}-of-00003.parquet" for n in range(3)]),
        (
            lhotse_shar,
            [
                f"train/{name}"
                for n in range(3)
                for name in (f"cuts.00000{n}.jsonl", f"recording.00000{n}.tar")
            ],
        ),
    ],
)
def test_a_full_shard_is_followed_by_another(monkeypatch, form, names):
    monkeypatch.setattr(layout, "BLOCK_ROWS", 2)
    monkeypatch.setattr(form, "SHARD_BYTES", 3 * SPOKEN.size)
    many = [replace(SPOKEN, id=f"a{n}") for n in range(6)]
    assert sorted(own(form, many)) == sorted(names)


def test_parquet_holds_each_sound_and_row_groups_of_a_hundred():
    many = [
        replace(SPOKEN, id=f"a{n:03}", seconds=0.01, size=44 + 320, text=f"día {n}", snr=n or None)
        for n in range(250)
    ]
    file = pyarrow.parquet.ParquetFile(io.BytesIO(own(parquet, many)["data/train-00000-of-00001.parquet"]))
    groups = [file.metadata.row_group(n).num_rows for n in range(file.metadata.num_row_groups)]
    assert max(groups) == 100 and sum(groups) == 250
    read = file.read().to_pylist()
    assert [line["audio"] for line in read] == [
        {"bytes": sound(row), "path": f"{row.id}.wav"} for row in many
    ]
    assert [line["text"] for line in read] == [row.text for row in many]
    assert [line["snr"] for line in read] == [row.snr for row in many]
    assert json.loads(read[0]["soft"]) == SPOKEN.soft


def test_a_column_of_parquet_has_no_statistics_that_repeat_words():
    found = own(parquet_labels, SENTENCES)["data/train-00000-of-00001.parquet"]
    group = pyarrow.parquet.ParquetFile(io.BytesIO(found)).metadata.row_group(0)
    columns = [group.column(number) for number in range(group.num_columns)]
    assert not any(column.is_stats_set or column.has_dictionary_page for column in columns)
    assert {column.compression for column in columns} == {"UNCOMPRESSED"}
