"""How far a long file has been read, on a terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tqdm import tqdm


@contextmanager
def bar(path: Path) -> Iterator[Callable[[int], object]]:
    """What to tell of each number of bytes read; shown after a second, and on a terminal alone."""
    size = path.stat().st_size if path.is_file() else None
    shown = tqdm(
        total=size, unit="B", unit_scale=True, desc=path.name, delay=1, disable=None, file=sys.stderr
    )
    with shown:
        yield shown.update
