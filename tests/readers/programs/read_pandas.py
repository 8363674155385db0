"""Reads tables with pandas, as the programs do that train on them: FORMAT FILE…"""

import csv
import sys

import pandas
import reading

READ = {
    # training/deepspeech_training/util/sample_collections.py reads with csv; its tools with this.
    "deepspeech": lambda path: pandas.read_csv(path, encoding="utf-8", na_filter=False),
    "common-voice": lambda path: pandas.read_csv(
        path, sep="\t", quoting=csv.QUOTE_NONE, dtype=str, keep_default_na=False
    ),
    "ljspeech": lambda path: pandas.read_csv(
        path, sep="|", header=None, quoting=csv.QUOTE_NONE, dtype=str, keep_default_na=False
    ),
    "text": lambda path: pandas.read_json(path, lines=True, dtype=False),
    "parquet": lambda path: pandas.read_parquet(path).drop(columns="audio"),
    "parquet-labels": pandas.read_parquet,
}

name, *files = sys.argv[1:]
tables = {path: READ[name](path) for path in files}
reading.finish(
    {
        path: table.astype(object).where(table.notna(), None).rename(columns=str).to_dict("records")
        for path, table in tables.items()
    }
)
