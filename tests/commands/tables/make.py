"""Writes the Parquet files of tests/commands/tables/parquet.rs again, each a few kilobytes.

    pip install pandas pyarrow polars fastparquet cramjam
    python tests/commands/tables/make.py

Other versions of these packages write other bytes; the tests must pass all the same. Made with pandas 3.1.1, pyarrow 26.0.1
and polars 2.1.0.
"""

import datetime as dt
import decimal
import pathlib

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

HERE = pathlib.Path(__file__).parent
GROUPS = ["O", "N", "Cl", "F", "c1ccccc1", "C(=O)O", "S", "C#N"]
ROWS = 40
SMILES = ["C" * (1 + row // 8) + GROUPS[row % 8] for row in range(ROWS)]
ACTIVE = [row // 2 % 2 for row in range(ROWS)]
VALUE = [row % 7 + 0.5 for row in range(ROWS)]


def codecs():
    frame = pd.DataFrame({"smiles": SMILES, "active": ACTIVE, "value": VALUE})
    for codec in [None, "snappy", "gzip", "brotli", "zstd", "lz4"]:
        frame.to_parquet(HERE / f"pandas-{codec}.parquet", compression=codec, engine="pyarrow")
    lazy = pl.DataFrame({"smiles": SMILES, "active": ACTIVE, "value": VALUE})
    for codec in ["uncompressed", "snappy", "gzip", "brotli", "zstd", "lz4"]:
        lazy.write_parquet(HERE / f"polars-{codec}.parquet", compression=codec)
    try:
        for codec in ["LZ4_RAW", "BROTLI"]:
            frame.to_parquet(HERE / f"fastparquet-{codec.lower()}.parquet", engine="fastparquet", compression=codec)
    except ImportError as missing:
        print("fastparquet left out:", missing)


def encodings():
    number = pa.array([row * 3 - 5 for row in range(ROWS)], pa.int64())
    table = pa.table({"smiles": SMILES, "active": ACTIVE, "value": VALUE, "number": number, "flag": [a == 1 for a in ACTIVE]})
    delta = {"smiles": "DELTA_BYTE_ARRAY", "active": "DELTA_BINARY_PACKED", "value": "BYTE_STREAM_SPLIT",
             "number": "DELTA_BINARY_PACKED", "flag": "RLE"}
    pq.write_table(table, HERE / "encodings-delta.parquet", use_dictionary=False, column_encoding=delta,
                   data_page_version="2.0", compression="zstd")
    split = {"smiles": "DELTA_LENGTH_BYTE_ARRAY", "active": "BYTE_STREAM_SPLIT", "value": "BYTE_STREAM_SPLIT",
             "number": "BYTE_STREAM_SPLIT", "flag": "PLAIN"}
    pq.write_table(table, HERE / "encodings-split.parquet", use_dictionary=False, column_encoding=split, row_group_size=17)
    pq.write_table(table, HERE / "encodings-dictionary.parquet", use_dictionary=True, store_schema=False)


def pandas_types():
    missing = [None if row % 5 == 0 else row % 3 for row in range(ROWS)]
    day = [dt.datetime(2026, 1, 1) + dt.timedelta(hours=row) for row in range(ROWS)]
    frame = pd.DataFrame({
        "smiles": pd.Categorical(SMILES),
        "nullable": pd.array(missing, dtype="Int8"),
        "flag": pd.array([None if row % 9 == 0 else row % 2 == 0 for row in range(ROWS)], dtype="boolean"),
        "half": np.array(VALUE, dtype=np.float16),
        "unsigned": np.array(ACTIVE, dtype=np.uint64) * np.uint64(2**63),
        "decimal": [decimal.Decimal(row) / 4 for row in range(ROWS)],
        "category": pd.Categorical([3 - a for a in ACTIVE]),
        "word": pd.Categorical(["a" if a else "b" for a in ACTIVE]),
        "when": pd.Series(day),
        "day": [one.date() for one in day],
        "clock": [one.time() for one in day],
        "took": pd.to_timedelta(range(ROWS), unit="min"),
        "month": pd.period_range("2026-01", periods=ROWS, freq="M"),
        "list": [[1, 2]] * ROWS,
        "bytes": [bytes([0xFF, row]) for row in range(ROWS)],
        "nothing": [None] * ROWS,
    })
    frame.to_parquet(HERE / "types-pandas.parquet")


def polars_types():
    day = [dt.datetime(2026, 1, 1) + dt.timedelta(hours=row) for row in range(ROWS)]
    frame = pl.DataFrame({
        "smiles": pl.Series(SMILES, dtype=pl.String),
        "flag": [a == 1 for a in ACTIVE],
        "unsigned": pl.Series([a * (2**64 - 1) for a in ACTIVE], dtype=pl.UInt64),
        "float": pl.Series(VALUE, dtype=pl.Float32),
        "decimal": pl.Series([decimal.Decimal(row) / 4 for row in range(ROWS)], dtype=pl.Decimal(12, 2)),
        "word": pl.Series(["a" if a else "b" for a in ACTIVE], dtype=pl.Categorical),
        "when": day,
        "day": [one.date() for one in day],
        "clock": [one.time() for one in day],
        "took": [dt.timedelta(minutes=row) for row in range(ROWS)],
        "list": [[1, 2]] * ROWS,
        "struct": [{"a": 1}] * ROWS,
        "bytes": [bytes([0xFF, row]) for row in range(ROWS)],
    })
    frame.write_parquet(HERE / "types-polars.parquet")


def indices():
    frame = pd.DataFrame({"smiles": SMILES, "y": ACTIVE})
    frame = pd.concat([frame, frame.assign(smiles=["C" * 6 + one for one in GROUPS] * 5)])
    filtered = frame.iloc[::2]
    filtered.to_parquet(HERE / "index-filtered.parquet")
    filtered.rename_axis("compound").to_parquet(HERE / "index-named.parquet")
    squares = [row * row for row in range(40)]
    filtered.set_index(pd.MultiIndex.from_arrays([squares, squares])).to_parquet(HERE / "index-multi.parquet")
    filtered.set_index(pd.date_range("2026-01-01", periods=40)).to_parquet(HERE / "index-dates.parquet")
    filtered.set_index("smiles").to_parquet(HERE / "index-smiles.parquet")


codecs()
encodings()
pandas_types()
polars_types()
indices()
