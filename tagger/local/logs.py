"""The children's output, one file each."""

from pathlib import Path

MOST_BYTES = 10_000_000


def open_log(path: Path) -> Path:
    """A log file that only its owner reads; one grown too long replaces the last that was put aside."""
    if path.exists() and path.stat().st_size > MOST_BYTES:
        path.replace(path.with_name(path.name + ".1"))
    path.touch(mode=0o600)
    return path


def last_lines(path: Path, count: int = 10) -> list[str]:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 8_000))
        text = file.read().decode(errors="replace")
    return [line for line in text.splitlines() if line.strip()][-count:]
