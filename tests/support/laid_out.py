"""A few recordings laid out in each of the formats of releases, as their users' own tools write them."""

import csv
import gzip
import io
import json
import os
import tarfile
from typing import NamedTuple

import pyarrow
import pyarrow.parquet

from tests.support import sounds


class Recorded(NamedTuple):
    id: str
    speaker: str
    split: str
    text: str  # or a label
    sound: bytes


def recorded(texts, speakers=("ann", "bob")):
    """One recording for each of these texts, of different pitches, by speakers in turn."""
    return [
        Recorded(
            f"id{number}",
            speakers[number % len(speakers)],
            ("train", "dev", "test")[number % 3],
            text,
            sounds.in_format("wav", sounds.tone(0.4, hertz=400 + 40 * number)),
        )
        for number, text in enumerate(texts)
    ]


def soft_labels(rows, licence="CC-BY-4.0", **more):
    """The file by which an archive of a release is known."""
    lines = [
        json.dumps(
            {"id": row.id, "speaker": f"secret-{row.speaker}", "split": row.split, "answer": row.text}
            | {"soft": {}, "confidence": 1.0, "licence": licence}
            | more
        )
        for row in rows
    ]
    return {"soft-labels.jsonl": "".join(f"{line}\n" for line in lines).encode()}


def table(head, rows):
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([head, *rows])
    return text.getvalue().encode()


def json_lines(rows):
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def tar(files):
    """A tar of these files, as tar writes it."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as opened:
        for name, body in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(body)
            opened.addfile(member, io.BytesIO(body))
    return content.getvalue()


def clips(rows, folder="clips"):
    return {f"{folder}/{row.id}.wav": row.sound for row in rows}


def by_split(rows):
    return {split: [row for row in rows if row.split == split] for split in ("train", "dev", "test")}


def deepspeech(rows):
    head = ("wav_filename", "wav_filesize", "transcript")
    return clips(rows) | {
        f"{split}.csv": table(head, [(f"clips/{row.id}.wav", len(row.sound), row.text) for row in some])
        for split, some in by_split(rows).items()
    }


COMMON_VOICE = (
    "client_id\tpath\tsentence_id\tsentence\tsentence_domain\tup_votes\tdown_votes\tage\tgender\taccents\t"
    "variant\tlocale\tsegment\n"
)


def common_voice(rows):
    tables = by_split(rows) | {"validated": rows, "invalidated": [], "other": []}
    made = {}
    for name, some in tables.items():
        lines = [f"{row.speaker}\t{row.id}.wav\t{row.id}\t{row.text}\t\t2\t0\t\t\t\t\ten\t\n" for row in some]
        made[f"en/{name}.tsv"] = (COMMON_VOICE + "".join(lines)).encode()
    return made | clips(rows, "en/clips")


def hf_audiofolder(rows):
    files = {}
    for split, some in by_split(rows).items():
        folder = f"data/{'validation' if split == 'dev' else split}"
        head = ("file_name", "transcription", "speaker_id", "language")
        files[f"{folder}/metadata.csv"] = table(
            head, [(f"{row.id}.wav", row.text, row.speaker, "en") for row in some]
        )
        files |= clips(some, folder)
    return files


def hf_audiofolder_of_objects(rows):
    files = {}
    for split, some in by_split(rows).items():
        lines = [
            {"file_name": f"{row.id}.wav", "transcription": row.text, "speaker": row.speaker} for row in some
        ]
        files[f"data/{split}/metadata.jsonl"] = json_lines(lines)
        files |= clips(some, f"data/{split}")
    return files


def parquet(rows):
    files = {}
    for split, some in by_split(rows).items():
        columns = {
            "id": [row.id for row in some],
            "audio": [{"bytes": row.sound, "path": f"{row.id}.wav"} for row in some],
            "transcription": [row.text for row in some],
            "speaker_id": [row.speaker for row in some],
        }
        written = io.BytesIO()
        pyarrow.parquet.write_table(pyarrow.table(columns), written, row_group_size=2)
        files[f"data/{split}-00000-of-00001.parquet"] = written.getvalue()
    return files


def webdataset(rows):
    files = {}
    for split, some in by_split(rows).items():
        members = {}
        for row in some:
            about = {"text": row.text, "speaker": row.speaker, "duration": 0.4}
            members |= {f"{row.id}.json": json.dumps(about).encode(), f"{row.id}.wav": row.sound}
        files[f"{split}-0000.tar"] = tar(members)
    return files


def lhotse_shar(rows, compressed=True):
    cuts, members = [], {}
    for row in rows:
        said = {"id": row.id, "recording_id": row.id, "start": 0, "duration": 0.4, "channel": 0}
        said |= {"text": row.text, "speaker": row.speaker, "language": "en"}
        cut = {"id": row.id, "start": 0, "duration": 0.4, "channel": 0, "type": "MonoCut"}
        cuts.append(cut | {"supervisions": [said]})
        members |= {f"{row.id}.wav": row.sound, f"{row.id}.json": b"{}"}
    lines = json_lines(cuts)
    name = "train/cuts.000000.jsonl" + (".gz" if compressed else "")
    return {
        name: gzip.compress(lines) if compressed else lines,
        "train/recording.000000.tar": tar(members),
    }


def nemo(rows):
    return clips(rows) | {
        f"{split}_manifest.json": json_lines(
            {
                "audio_filepath": f"clips/{row.id}.wav",
                "duration": 0.4,
                "text": row.text,
                "lang": "en",
                "speaker": row.speaker,
            }
            for row in some
        )
        for split, some in by_split(rows).items()
    }


def kaldi(rows):
    files = clips(rows, "wav")
    for split, some in by_split(rows).items():
        names = {row.id: f"{row.speaker}-{row.id}" for row in some}
        for name, cell in (
            ("wav.scp", lambda row: f"wav/{row.id}.wav"),
            ("text", lambda row: row.text),
            ("utt2spk", lambda row: row.speaker),
            ("utt2lang", lambda row: "en"),
        ):
            lines = sorted(f"{names[row.id]} {cell(row)}\n" for row in some)
            files[f"{split}/{name}"] = "".join(lines).encode()
    return files


def ljspeech(rows):
    files = {}
    for speaker in sorted({row.speaker for row in rows}):
        some = [row for row in rows if row.speaker == speaker]
        lines = "".join(f"{row.id}|{row.text}|{row.text}\n" for row in some)
        files |= {f"{speaker}/metadata.csv": lines.encode(), **clips(some, f"{speaker}/wavs")}
    return files


def precise(rows):
    return {
        f"{'test/' if row.split == 'test' else ''}"
        f"{'wake-word' if row.text == 'yes' else 'not-wake-word'}/{row.id}.wav": row.sound
        for row in rows
    }


def openwakeword(rows):
    return {
        f"hey_juniper/{'positive' if row.text == 'yes' else 'negative'}"
        f"_{'test' if row.split == 'test' else 'train'}/{row.id}.wav": row.sound
        for row in rows
    }


OF_WORDS = {
    "deepspeech": deepspeech,
    "common-voice": common_voice,
    "hf-audiofolder": hf_audiofolder,
    "parquet": parquet,
    "webdataset": webdataset,
    "lhotse-shar": lhotse_shar,
    "nemo": nemo,
    "kaldi": kaldi,
    "ljspeech": ljspeech,
}
OF_LABELS = {"precise": precise, "openwakeword": openwakeword, "microwakeword": openwakeword}
WITHOUT_SPEAKERS = {"deepspeech", *OF_LABELS}


def write(files, to):
    """These files, in a folder or, if its name ends so, in a tar."""
    if to.suffix == ".tar":
        to.write_bytes(tar(files))
        return to
    for name, body in files.items():
        path = to / name
        os.makedirs(path.parent, exist_ok=True)
        path.write_bytes(body)
    return to
