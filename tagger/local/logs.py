"""Log files: the output of each child process."""

from pathlib import Path

MAX_BYTES = 10_000_000


def open_log(path: Path) -> Path:
    """Create the log, readable by its owner only. One longer than `MAX_BYTES` is first renamed to `.1`."""
    if path.exists() and path.stat().st_size > MAX_BYTES:
        path.replace(path.with_name(path.name + ".1"))
    path.touch(mode=0o600)
    return path


def last_lines(path: Path, count: int = 10) -> list[str]:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 8_000))
        text = file.read().decode(errors="replace")
    return [line for line in text.splitlines() if line.strip()][-count:]
