"""A small release for training formats: rows, their sounds, and the files that a format makes of them."""

import hashlib
import io
import struct
import wave
from dataclasses import replace
from pathlib import Path

import numpy as np

from datasets.models import Purpose, Release
from datasets.releases import sound_files
from datasets.releases.formats import layout, package, subsets, transcripts
from datasets.releases.formats.about import About
from datasets.releases.formats.rows import Row, SingleVote

RATE = 16_000
PUBLIC = Release(audience=Purpose.PUBLIC)

ABOUT = About(
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
    licence="CC0-1.0",
    source="browser",
    votes=3,
    for_synthesis=True,
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
    licence="CC0-1.0",
    source="device",
    votes=2,
    snr=21.0,
)

IN_ALL = {
    *("README.md", "DATASHEET.md", "LICENSE.txt", "croissant.json", "zenodo.json", "checksums.sha256"),
    "soft-labels.jsonl",
}

# Of a release that lists single votes, and a row as it is there.
WITH_VOTES = replace(ABOUT, has_single_votes=True)


def voted(row: Row) -> Row:
    """Two gave its answer, and one another."""
    given = [("b" * 16, row.answer, 1.0, "2026-05-04"), ("c" * 16, row.answer, 1.0, "2026-05-03")]
    other = SingleVote("d" * 16, f"{row.answer} or so", 0.5, None)
    return replace(row, single_votes=(other, *(SingleVote(*each) for each in given)))


SENTENCES = [
    SPOKEN,
    replace(SPOKEN, id="a2", speaker="s3", split="test", text="o'neill's"),
    replace(SPOKEN, id="a3", text="nan", snr=12.0),
    replace(SPOKEN, id="a4", speaker="s4", split="dev", text="12"),
    replace(SPOKEN, id="a5", text="[unclear] noche"),
]
WAKE_WORDS = [
    WAKE,
    replace(WAKE, id="w2", label="no", soft={"votes": {"yes": 1, "no": 3}}),
    replace(WAKE, id="w3", label="similar", split="dev", speaker="s4"),
    replace(WAKE, id="w4", split="test", speaker="s5"),
    replace(WAKE, id="w5", label="noise", split="test", speaker="s5"),
]
RELEASE = [*SENTENCES, *WAKE_WORDS]


def own(written):
    """Of the files of an archive those of the format alone."""
    return {path: each for path, each in written.items() if path not in IN_ALL and "LICENSES/" not in path}


def for_everyone(row: Row) -> Row:
    """The same row in a public release, whose sounds end with a comment."""
    return replace(row, size=44 + 2 * round(row.seconds * RATE) + len(sound_files.mark(PUBLIC, row.id)))


def samples(row: Row) -> np.ndarray:
    """int16 (n,): noise, another for each row."""
    seed = int.from_bytes(hashlib.sha256(row.id.encode()).digest()[:4])
    return np.random.default_rng(seed).integers(-3000, 3000, round(row.seconds * RATE), dtype=np.int16)


def sound(row: Row) -> bytes:
    """Its WAV, of the size that the row says."""
    mark = sound_files.mark(PUBLIC, row.id) if row.size > 44 + 2 * round(row.seconds * RATE) else b""
    content = _wav(samples(row)) + mark
    return content[:4] + struct.pack("<I", len(content) - 8) + content[8:]


def _wav(samples: np.ndarray) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setnchannels(1)
        written.setsampwidth(2)
        written.setframerate(RATE)
        written.writeframes(samples.tobytes())
    return file.getvalue()


def in_subsets(rows):
    """The subsets of these rows, and the rows with their places in them."""
    keys = [(row.kind, row.language, transcripts.wake_word(row)) for row in rows]
    named = subsets.named(keys)
    numbers = {subset[1:4]: number for number, subset in enumerate(named)}
    placed = [
        replace(row, subset=numbers[key], folder=named[numbers[key]].folder)
        for key, row in zip(keys, rows, strict=True)
    ]
    return named, placed


def planned(form, rows=RELEASE, about=ABOUT):
    """Which files it will have, and how many bytes each."""
    named, ordered = in_order(form, rows)
    return package.plan(form, of_subsets(about, named), named, ordered, lambda path, size: size)


def files(form, rows=RELEASE, audio=sound, about=ABOUT, as_sent=lambda row: row):
    """All files of the release in this format, by their paths."""
    named, ordered = in_order(form, rows)
    about = of_subsets(about, named)
    return package.files(form, about, named, ordered, audio, [as_sent(row) for row in ordered])


def of_subsets(about, named):
    return replace(about, subsets=tuple(named))


def in_order(form, rows):
    named, placed = in_subsets(rows)
    return named, sorted(placed, key=lambda row: layout.key_of(row, form.BY_SPEAKER))


def write(form, folder: Path, rows=RELEASE, about=ABOUT) -> Path:
    """The same, in a folder."""
    for path, content in files(form, rows, about=about).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder
