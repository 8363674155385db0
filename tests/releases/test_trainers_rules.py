"""Trainers that are too large to be installed for tests: what they accept, written from their sources."""

import csv
import json
import re
import subprocess
import wave
from dataclasses import replace
from pathlib import Path

import pytest

from datasets.releases.formats import deepspeech, kaldi, microwakeword, nemo, openwakeword, precise
from tests.support import training
from tests.support.training import RELEASE, SENTENCES, WAKE_WORDS


def is_sixteen_kilohertz(path):
    with wave.open(str(path)) as opened:
        return (opened.getframerate(), opened.getnchannels(), opened.getsampwidth()) == (16_000, 1, 2)


def seconds(path):
    with wave.open(str(path)) as opened:
        return opened.getnframes() / opened.getframerate()


# DeepSpeech: training/deepspeech_training/util/importers.py and bin/import_cv2.py


def validate_label_eng(label):
    if re.search(r"[0-9]|[(<\[\]&*{]", label) is not None:
        return None
    label = re.sub("[ ]{2,}", " ", label.replace("-", " ").replace("_", " "))
    return re.sub(r'[.,;?!:"]', "", label).strip().lower() or None


@pytest.mark.parametrize("rows", [SENTENCES, WAKE_WORDS], ids=["sentences", "wake words"])
def test_deepspeechs_importer_keeps_every_clip_and_changes_no_transcript(tmp_path, rows):
    folder = training.write(deepspeech, tmp_path, rows)
    letters = [line for line in (folder / "alphabet.txt").read_text().split("\n") if line[:1] != "#"]
    assert letters[0] == " " and letters[-1] == ""  # the last line ends
    assert {path.name for path in folder.glob("*.csv")} == {"train.csv", "dev.csv", "test.csv"}
    found = 0
    for table in folder.glob("*.csv"):
        for line in csv.DictReader(table.open(encoding="utf-8")):
            clip, transcript = table.parent / line["wav_filename"], line["transcript"]
            assert validate_label_eng(transcript) == transcript
            assert set(transcript) <= set(letters)
            assert clip.stat().st_size == int(line["wav_filesize"]) and is_sixteen_kilohertz(clip)
            assert int(seconds(clip) * 1000 / 10 / 2) >= len(transcript) and seconds(clip) <= 10
            found += 1
    assert found == sum(deepspeech.why_left_out(row) is None for row in rows)


# Kaldi: utils/validate_data_dir.sh


def test_kaldi_finds_a_data_directory_valid(tmp_path):
    rows = [replace(SENTENCES[0], id=f"a{n}", speaker=f"s{n * 7 % 12}") for n in range(30)]
    folder = training.write(kaldi, tmp_path, rows) / "train"
    tables = {path.name: path.read_text().splitlines() for path in folder.iterdir()}
    assert tables.keys() == {"wav.scp", "text", "utt2spk", "spk2utt", "utt2lang"}
    for name in tables:
        subprocess.run(["sort", "-c", "-u", folder / name], env={"LC_ALL": "C"}, check=True)
    pairs = [tuple(line.split()) for line in tables["utt2spk"]]
    assert all(utterance.startswith(speaker) for utterance, speaker in pairs)
    inverse = {speaker: [each for each, of in pairs if of == speaker] for _utterance, speaker in pairs}
    assert {line.split()[0]: line.split()[1:] for line in tables["spk2utt"]} == inverse
    for name in ("wav.scp", "text", "utt2lang"):
        assert [line.split()[0] for line in tables[name]] == [utterance for utterance, _speaker in pairs]
    assert all((tmp_path / line.split()[1]).is_file() for line in tables["wav.scp"])


# NeMo: nemo/collections/common/parts/preprocessing/manifest.py, `item_iter`


def nemo_items(manifest):
    for line in manifest.read_text().splitlines():
        item = json.loads(line)
        audio = Path(item["audio_filepath"])
        if not audio.is_absolute() and audio.parent != Path("."):
            audio = manifest.parent / audio
        yield item | {"audio_file": audio}


def test_nemo_finds_every_clip_of_its_manifests_once(tmp_path):
    folder = training.write(nemo, tmp_path, RELEASE)
    items = [item for manifest in folder.rglob("*_manifest.json") for item in nemo_items(manifest)]
    assert sorted(item["audio_file"] for item in items) == sorted(folder.rglob("*.wav"))
    for item in items:
        assert is_sixteen_kilohertz(item["audio_file"])
        assert item["duration"] == seconds(item["audio_file"])
        assert item["lang"] in ("es", "en") and isinstance(item["text"], str) and item["speaker"]


# Precise: precise/util.py, `find_wavs`, and precise/train_data.py


def find_wavs(folder):
    return [sorted(folder.joinpath(name).glob("*.wav")) for name in ("wake-word", "not-wake-word")]


def test_precise_finds_its_clips_to_train_and_to_test_with(tmp_path):
    folder = training.write(precise, tmp_path, WAKE_WORDS)
    names = [[path.stem for path in found] for found in (*find_wavs(folder), *find_wavs(folder / "test"))]
    assert names == [["w1"], ["w2", "w3"], ["w4"], ["w5"]]
    assert all(map(is_sixteen_kilohertz, folder.rglob("*.wav")))


# openWakeWord: openwakeword/train.py


def test_openwakeword_counts_only_clips_in_its_folders(tmp_path):
    model = training.write(openwakeword, tmp_path, WAKE_WORDS) / "hey_mycroft"
    found = {}
    for name in ("positive_train", "positive_test", "negative_train", "negative_test"):
        clips = list((model / name).glob("*.wav"))
        assert len(clips) == len(list((model / name).iterdir())) > 0  # it counts with os.listdir
        assert all(map(is_sixteen_kilohertz, clips))
        found[name] = {path.stem for path in clips}
    assert found["negative_train"] == {"w2", "w3"}
    assert {path.name for path in model.iterdir()} == found.keys()


# microWakeWord: microwakeword/audio/clips.py and data.py


def test_microwakeword_finds_clips_for_each_of_its_modes(tmp_path):
    folder = training.write(microwakeword, tmp_path, WAKE_WORDS)
    modes = {"training", "validation", "testing"}
    found = [path.relative_to(folder) for path in folder.rglob("*.wav")]
    assert {path.parts[1] for path in found} == modes and all(len(path.parts) == 3 for path in found)
    for path in found:
        assert [each.name for each in (folder / path).parent.glob("*.wav")]
        assert is_sixteen_kilohertz(folder / path)
