"""Reads votes.parquet with pyarrow, pandas and DuckDB, and asks each for the majority on every clip."""

import sys
from collections import Counter, defaultdict

import duckdb
import pandas
import pyarrow.parquet
import reading

[path] = sys.argv[1:]
rows = pyarrow.parquet.read_table(path).to_pylist()
counts = defaultdict(Counter)
for row in rows:
    counts[row["id"]][row["answer"]] += 1
frame = pandas.read_parquet(path)
asked = f"""
    SELECT id, mode(answer), count(DISTINCT annotator), sum(weight), min(CAST(day AS DATE))::TEXT
    FROM '{path}' GROUP BY id ORDER BY id
"""
reading.finish(
    {
        "pyarrow": {clip: given.most_common(1)[0][0] for clip, given in counts.items()},
        "pandas": frame.groupby("id")["answer"].agg(lambda given: given.mode()[0]).to_dict(),
        "duckdb": duckdb.connect().execute(asked).fetchall(),
        "rows": rows,
    }
)
