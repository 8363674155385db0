"""The folder for what PostgreSQL must reach when root starts the site, and cannot reach in the home."""

from pathlib import Path

from .refusal import StartRefused

# Where Linux stores a service's data.
FOLDER = Path("/var/lib/tagger")


def make_folder() -> None:
    """Create it if necessary, open to those who know a name in it. Raises StartRefused."""
    try:
        FOLDER.mkdir(parents=True, exist_ok=True)
        FOLDER.chmod(0o711)
    except OSError as error:
        raise StartRefused(
            f"cannot create {FOLDER}, which is needed when the site is started as root: {error.strerror}"
        ) from error
