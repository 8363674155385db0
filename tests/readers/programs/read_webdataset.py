"""Reads tar shards with webdataset: one argument for each, with braces for several."""

import sys

import reading
import webdataset

records = []
for shards in sys.argv[1:]:
    for sample in webdataset.WebDataset(shards, shardshuffle=False).decode():
        known = sample["json"]
        records.append(
            {name: known[name] for name in ("id", "speaker", "split", "text", "label", "language")}
            | {"key": sample["__key__"], "sound": reading.digest_of_file(sample["wav"])}
        )
reading.finish(records)
