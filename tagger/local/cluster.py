"""PostgreSQL's data: where it is, which home it belongs to, how it is created."""

import hashlib
import os
import pwd
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from . import identity, shared
from .durable import read, sync, write
from .homes import Home, is_traversable
from .identity import Mark
from .logs import last_lines
from .processes import Account
from .refusal import StartRefused

DRAFT = ".new"
READABLE = 0o644  # by PostgreSQL's account, in a folder that only this account can enter
ACCESS = "local all all peer map=house\n"


def locate(home: Home) -> Path:
    """Where the home's cluster is or will be: in the home, unless root starts the site, as which PostgreSQL
    does not run, and other accounts cannot enter the home.

    Raises StartRefused if the cluster is gone, or is another home's.
    """
    inside = identity.data(home.path)
    if inside.is_symlink() and not inside.exists():
        raise StartRefused(
            f"the database of TAGGER_HOME {home.path} is missing: {inside} leads to {os.readlink(inside)},"
            f" where nothing is; bring it back, or remove {inside} to start with an empty database"
        )
    if inside.exists() or os.geteuid() != 0:
        return inside.resolve()
    for folder, mark in _outside():
        # An interrupted start did not link it yet, or the home was copied without its links.
        if mark and mark.id == home.mark.id:
            identity.refuse_twin(mark, home.path)
            return folder
    if is_traversable(home.path):
        return inside.resolve()
    shared.make_folder()
    return shared.FOLDER.resolve() / f"postgres-{home.mark.id}"


def account(data: Path) -> Account | None:
    """The account for PostgreSQL, which refuses to run as root: the data's owner, or `nobody` at first."""
    if os.geteuid() != 0:
        return None
    try:
        owner = pwd.getpwuid(data.stat().st_uid) if data.exists() else pwd.getpwnam("nobody")
    except KeyError as error:
        raise StartRefused(
            f"PostgreSQL cannot run as root, and the account to run it as does not exist: {error}"
        ) from error
    return Account(owner.pw_name, owner.pw_uid, owner.pw_gid)


def check(data: Path, account: Account | None) -> None:
    """Raises StartRefused unless PostgreSQL's account can reach the data, and it is a cluster."""
    _check_reachable(data, account)
    if not read(data / "PG_VERSION").strip().isdigit():
        raise StartRefused(
            f"{data} is not a PostgreSQL database: its file PG_VERSION is missing or damaged; bring back the"
            " folder from a backup, or remove it to start with an empty database"
        )


def _check_reachable(data: Path, account: Account | None) -> None:
    if account is None and not os.access(data, os.R_OK | os.W_OK | os.X_OK):
        raise StartRefused(f"{data} belongs to another user: start the site as that user, or as root")
    if account is not None and not is_traversable(data.parent):
        raise StartRefused(
            f"PostgreSQL runs as {account.name} and cannot reach {data}: a parent folder is closed to others"
        )


def repair(data: Path, mark: Mark) -> None:
    """Write our own files again if they are not right: an older cluster has no mark, that of a moved home has
    the old path, and a power cut may have left any of them empty."""
    if identity.read(data) != mark:
        identity.write(data, mark, READABLE)
    rules = read(data / "pg_ident.conf").splitlines(keepends=True)
    if ACCESS not in read(data / "pg_hba.conf") or not set(_mappings()).issubset(rules):
        _write_access_rules(data)


def create(binaries: Path, data: Path, account: Account | None, home: Home, durable: bool) -> None:
    """Create the cluster in a temporary folder, renamed when complete: no start leaves a half-made one."""
    log = home.log("postgres")
    draft = data.with_name(data.name + DRAFT)
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    change_owner(draft, account)
    command = [
        *(str(binaries / "initdb"), "-D", str(draft), "-U", "tagger", "-E", "UTF8", "--no-instructions"),
        # PostgreSQL's builtin C.UTF-8 sorts the same on every machine, regardless of its locales.
        *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
        *([] if durable else ["--no-sync"]),
    ]
    with log.open("ab") as output:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment(),
            cwd="/",
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
    if done.returncode != 0:
        reason = last_lines(log, 1)
        raise StartRefused(f"cannot create the database: {' '.join(reason)} (log: {log})")
    _write_access_rules(draft)
    identity.write(draft, home.mark, READABLE)
    draft.rename(data)
    sync(data.parent)


def link(home: Home, data: Path, say: Callable[[str], None]) -> None:
    """Make data outside the home reachable through it."""
    inside = identity.data(home.path)
    if not inside.exists():
        inside.symlink_to(data)
        sync(home.path)
        reason = f"PostgreSQL cannot run as root, and other accounts cannot enter {home.path}"
        say(f"{reason}: its data is in {data}.")


def report_earlier(home: Home, say: Callable[[str], None]) -> None:
    """Say where the database of a removed home at the same path still lies. It is never used again."""
    if os.geteuid() != 0:
        return
    digest = hashlib.sha256(str(home.path).encode()).hexdigest()[:12]
    unmarked = f"{home.path.name}-{digest}"  # how data was named before it had marks
    for data, mark in _outside():
        if mark.path == home.mark.path if mark else data.name == unmarked:
            say(
                f"An earlier site in {home.path} left its database in {data}: it is not used;"
                " remove it if you no longer need it."
            )


def remove(home: Path) -> None:
    """Remove all data, also if `home` holds only a link to it, unless that is another home's."""
    data = identity.data(home)
    mark = identity.read(data)
    if data.exists() and not (data.is_symlink() and mark and mark.path != str(home.resolve())):
        shutil.rmtree(data.resolve())
    if data.is_symlink():
        data.unlink()


def _outside() -> list[tuple[Path, Mark | None]]:
    """The folders outside of any home, with their marks; only root can list them."""
    if not shared.FOLDER.is_dir():
        return []
    folders = (path for path in sorted(shared.FOLDER.resolve().iterdir()) if path.suffix != DRAFT)
    return [(folder, identity.read(folder)) for folder in folders if (folder / "PG_VERSION").exists()]


def _write_access_rules(data: Path) -> None:
    """Let in the user who started the site, and root; the kernel says who is at the other end of a socket."""
    write(data / "pg_hba.conf", ACCESS, READABLE)
    write(data / "pg_ident.conf", "".join(_mappings()), READABLE)


def _mappings() -> list[str]:
    names = {"root", pwd.getpwuid(os.geteuid()).pw_name}
    return [f"house {name} tagger\n" for name in sorted(names)]


def change_owner(folder: Path, account: Account | None) -> None:
    if account is not None:
        os.chown(folder, account.uid, account.gid)


def environment() -> dict[str, str]:
    return {"PATH": os.defpath, "LC_ALL": "C"}
