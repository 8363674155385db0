"""Output files that appear complete or not at all, and the CSV text in them."""

import os
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray


class Unwritable(ValueError):
    """The output cannot be written at the given path."""


@contextmanager
def atomic_file(path: Path, never: Iterable[Path] = ()) -> Iterator[BinaryIO]:
    """A temporary file that replaces `path` when the block succeeds, and is removed when it fails.

    Raises Unwritable, before anything is written, if the folder is missing, if `path` exists and is not a
    file, or if it is one of the files that must `never` be overwritten.
    """
    real = path.resolve()
    _refuse(path, real, never)
    temporary = real.with_name(f".{real.name}.{secrets.token_hex(4)}")
    try:
        with temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(real)
    except BaseException:
        with suppress(FileNotFoundError):
            temporary.unlink()
        raise
    _sync(real.parent)


def _refuse(path: Path, real: Path, never: Iterable[Path]) -> None:
    if not real.parent.is_dir():
        raise Unwritable(f"{path} cannot be written: the folder {real.parent} does not exist")
    if real.exists() and not real.is_file():
        raise Unwritable(f"{path} cannot be written: it exists and is not a file")
    for other in never:
        if real == other.resolve() or (real.exists() and other.exists() and real.samefile(other)):
            raise Unwritable(f"{path} cannot be written: it is {other}, which must not be overwritten")


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def lines(columns: Sequence[pa.StringArray]) -> bytes:
    """Rows of CSV, in the grammar that `blocks` reads.

    >>> lines([pa.array(["a", "b,c"]), pa.array(["1", "2"])])
    b'a,1\\n"b,c",2\\n'
    """
    rows = pc.binary_join_element_wise(*map(_quoted, columns), ",")
    return "".join(f"{row}\n" for row in rows.to_pylist()).encode()


def _quoted(column: pa.StringArray) -> pa.StringArray:
    needed = pc.match_substring_regex(column, '[",\r\n]')
    if not pc.any(needed).as_py():
        return column
    doubled = pc.replace_substring(column, '"', '""')
    return pc.if_else(needed, pc.binary_join_element_wise('"', doubled, '"', ""), column)


def decimals(values: NDArray[np.floating]) -> pa.StringArray:
    """Numbers from 0 to 1, to six decimals; others are clipped.

    >>> decimals(np.array([0.5, 1.0])).to_pylist()
    ['0.500000', '1.000000']
    """
    millionths = np.rint(np.clip(values, 0, 1) * 1_000_000).astype(np.int64)
    whole = whole_numbers(millionths // 1_000_000)
    return pc.binary_join_element_wise(
        whole, pc.utf8_lpad(whole_numbers(millionths % 1_000_000), 6, "0"), "."
    )


def whole_numbers(values: NDArray[np.signedinteger]) -> pa.StringArray:
    return pa.array(values).cast(pa.string())
