"""Loads a folder with `datasets`: every configuration and split."""

import sys
from pathlib import Path

import names_only
import reading

from datasets import Audio, get_dataset_config_names, load_dataset

names_only.install()

folder = sys.argv[1]
records = []
for config in get_dataset_config_names(folder):
    for split, rows in load_dataset(folder, config).items():
        sound = next((name for name, kind in rows.features.items() if isinstance(kind, Audio)), None)
        # Its own decoder needs PyTorch.
        rows = rows.cast_column(sound, Audio(decode=False)) if sound else rows
        for row in rows:
            known = row.get("json") or row
            record = {name: known[name] for name in ("id", "speaker", "label", "language")}
            record |= {
                "config": config,
                "split": split,
                "text": known.get("text", known.get("transcription")),
            }
            if sound:
                content = row[sound]["bytes"] or Path(row[sound]["path"]).read_bytes()
                record["sound"] = reading.digest_of_file(content)
            records.append(record)
reading.finish(records)
