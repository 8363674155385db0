"""PostgreSQL from a wheel, on a Unix socket, closed to other machines and to other accounts of this one."""

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import psycopg2

from . import binaries, cluster, identity
from .homes import LOCK, Home
from .processes import Program, open_files, wait_until_gone, working_in
from .refusal import StartRefused

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
    data = cluster.locate(home)
    account = cluster.account(data)
    programs = binaries.folder(account)
    _stop_stale_server(data, home)
    if data.exists():
        cluster.check(data, account)
        cluster.repair(data, home.mark)
    else:
        cluster.report_earlier(home, say)
        cluster.create(programs, data, account, home, durable)
    cluster.link(home, data, say)
    folder = socket_folder(sockets)
    folder.mkdir(mode=0o700)
    cluster.change_owner(folder, account)
    return Program(
        name="postgres",
        command=[str(programs / "postgres"), "-D", str(data), *_options(folder, data, durable)],
        log=home.log("postgres"),
        environment=cluster.environment(),
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


def _options(folder: Path, data: Path, durable: bool) -> list[str]:
    speed = {} if durable else NOT_DURABLE
    settings = SETTINGS | RECOVERY | {"unix_socket_directories": str(folder)} | speed
    return [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]


def _stop_stale_server(data: Path, home: Home) -> None:
    """Stop the server that a killed launcher left, and remove its postmaster.pid.

    After a power cut the pid in it may belong to any process, which PostgreSQL would take for its own server.
    Raises StartRefused if the server is another home's.
    """
    left = working_in(data)
    for other in {other for pid in left for other in _homes_of(pid)}:
        raise StartRefused(identity.refusal(home.path, other))
    for pid in left:
        _signal(pid, signal.SIGINT)
    if not wait_until_gone(left, SECONDS_TO_END):
        for pid in left:
            _signal(pid, signal.SIGKILL)
        wait_until_gone(left, SECONDS_TO_END)
    (data / "postmaster.pid").unlink(missing_ok=True)


def _homes_of(server: int) -> list[Path]:
    """The homes whose locks it holds, as the launcher's children do; not those that have been removed."""
    locks = (path for path in open_files(server) if path.parts[-2:] == LOCK.parts and path.exists())
    return [lock.parents[1] for lock in locks]


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):  # it has already ended
        os.kill(pid, number)
