"""Reads the splits in some folders with lhotse: `shar FOLDER…` or `kaldi FOLDER…`."""

import os
import sys
from pathlib import Path

import names_only
import reading

names_only.install()

from lhotse import CutSet, load_kaldi_data_dir, validate_recordings_and_supervisions  # noqa: E402


def cuts(kind, folder, split):
    if kind == "shar":
        return CutSet.from_shar(in_dir=folder / split)
    os.chdir(folder)  # as recipes do: the paths in wav.scp begin here
    recordings, supervisions, _features = load_kaldi_data_dir(split, sampling_rate=16_000)
    validate_recordings_and_supervisions(recordings, supervisions)
    return CutSet.from_manifests(recordings=recordings, supervisions=supervisions)


def read(kind, folder, split):
    for cut in cuts(kind, folder, split):
        (said,) = cut.supervisions
        yield {
            "id": said.id.rpartition("-")[2],
            "split": split,
            "text": said.text or "",
            "speaker": said.speaker,
            "language": said.language,
            "sound": reading.digest(cut.load_audio()),
        } | ({"label": (said.custom or {}).get("label")} if kind == "shar" else {})


kind, *folders = sys.argv[1:]
reading.finish(
    [
        record
        for folder in map(Path, folders)
        for split in ("train", "dev", "test")
        if (folder / split).is_dir()
        for record in read(kind, folder, split)
    ]
)
