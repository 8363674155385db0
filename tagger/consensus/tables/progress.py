"""A progress bar for reading a long file."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tqdm import tqdm


@contextmanager
def bar(path: Path) -> Iterator[Callable[[int], object]]:
    """A function to call with each number of bytes read. The bar appears after 1 s, only on a terminal."""
    size = path.stat().st_size if path.is_file() else None
    shown = tqdm(
        total=size, unit="B", unit_scale=True, desc=path.name, delay=1, disable=None, file=sys.stderr
    )
    with shown:
        yield shown.update
