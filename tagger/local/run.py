"""`make run`: the whole site on one machine, until Ctrl-C."""

import http.client
import os
import shutil
import signal
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from . import addresses, external, forks, homes, ports, postgres, secret_key, valkey
from .homes import Home
from .processes import Program
from .refusal import StartRefused
from .supervisor import StopRequested, Supervisor

SECONDS_TO_START = 60
# What a command in a second terminal has to know besides the servers, so that its links lead to this site.
TOLD = ("PORT", "HTTPS", "SITE_URL", "CONTACT", "SECURITY_CONTACT")


def run(environment: Mapping[str, str]) -> None:
    """Start everything and keep it running until a signal. Raises StartRefused if something fails."""
    port = ports.parse(environment.get("PORT") or "8000")
    _check_external_servers(environment)
    home = homes.claim(
        homes.home_path(environment), traversable=os.geteuid() == 0 and not environment.get("DATABASE_URL")
    )
    listener = ports.listen(port)  # after the home, as the rest of a killed run may still use the port
    supervisor = Supervisor(say)
    with supervisor.listening(), sockets_folder() as sockets:
        try:
            _run(environment, home, listener, sockets, supervisor)
        except StopRequested:
            say("Stopping …")
        finally:
            supervisor.stop_all()
            addresses.forget(home.path)
    say("Stopped.")


def say(line: str) -> None:
    """Print a line for the user."""
    try:
        print(line, flush=True)
    except OSError:
        # The terminal is gone and no one reads this, but the children must be kept running.
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115


def _run(
    environment: Mapping[str, str], home: Home, listener: socket.socket, sockets: Path, supervisor: Supervisor
) -> None:
    addresses.write(home.path, {}, sockets)  # the next run removes the sockets if this one is killed
    say(f"Starting. Data is stored in {home.path}, logs are in {home.path / 'log'}.")
    found = start_servers(environment, home, sockets, supervisor)
    found |= {
        "SECRET_KEY": secret(environment, home, found["DATABASE_URL"]),
        "DEBUG": environment.get("DEBUG") or "1",
    }
    port = listener.getsockname()[1]
    site = site_environment(environment, found, home, port)
    addresses.write(home.path, found | {name: site[name] for name in TOLD if site.get(name)}, sockets)
    forks.load(site)
    supervisor.run_once(replace(prepare_data(site, home), is_fork=True))
    for program in (worker(site, home), eraser(site, home), web(site, home, listener), beat(site, home)):
        supervisor.start(replace(program, is_fork=True))
    wait_until_ready(port, supervisor)
    say(f"Tagger is at http://localhost:{port}/ (Ctrl-C stops it)")
    supervisor.watch()


def _check_external_servers(environment: Mapping[str, str]) -> None:
    if environment.get("DATABASE_URL"):
        external.check_database(environment["DATABASE_URL"])
    if environment.get("REDIS_URL"):
        external.check_redis(environment["REDIS_URL"])


@contextmanager
def sockets_folder() -> Iterator[Path]:
    folder = homes.make_sockets()
    try:
        yield folder
    finally:
        if folder.exists():  # another program may have cleaned up the folder for temporary files
            shutil.rmtree(folder)


def start_servers(
    environment: Mapping[str, str], home: Home, sockets: Path, supervisor: Supervisor
) -> dict[str, str]:
    found = {name: environment.get(name, "") for name in ("DATABASE_URL", "REDIS_URL")}
    if not found["DATABASE_URL"]:
        start_postgres(home, sockets, supervisor)
        found["DATABASE_URL"] = postgres.url(sockets)
    if not found["REDIS_URL"]:
        start_valkey(home, sockets, supervisor)
        found["REDIS_URL"] = valkey.url(sockets)
    return found


def start_postgres(home: Home, sockets: Path, supervisor: Supervisor, durable: bool = True) -> None:
    supervisor.start(postgres.prepare(home, sockets, say, durable))
    try:
        # After a power cut the server first replays its write-ahead log, which may take minutes.
        supervisor.wait_for(lambda: postgres.answers(sockets), seconds=600)
    except TimeoutError as error:
        raise StartRefused(f"PostgreSQL did not start; see its log: {home.log('postgres')}") from error
    postgres.make_database(sockets)


def start_valkey(home: Home, sockets: Path, supervisor: Supervisor) -> None:
    supervisor.start(valkey.prepare(home, sockets))
    try:
        supervisor.wait_for(lambda: valkey.answers(sockets), SECONDS_TO_START)
    except TimeoutError as error:
        raise StartRefused(f"Valkey did not start; see its log: {home.log('valkey')}") from error


def secret(environment: Mapping[str, str], home: Home, database: str) -> str:
    """The site's secret key: the environment's, otherwise the home's. Raises StartRefused if it is lost."""
    return environment.get("SECRET_KEY") or secret_key.read_or_make(home.path, database)


def site_environment(
    environment: Mapping[str, str], found: dict[str, str], home: Home, port: int
) -> dict[str, str]:
    """The environment of the site's processes. HTTPS is off by default, as there is no proxy in front."""
    fixed = {"TAGGER_HOME": str(home.path), "PORT": str(port), "DJANGO_SETTINGS_MODULE": "tagger.settings"}
    return {"HTTPS": "0"} | dict(environment) | found | fixed


def prepare_data(site: Mapping[str, str], home: Home) -> Program:
    """It migrates the database, collects static files if DEBUG is off, and loads the demo if wanted."""
    options = ("--log", str(home.log("setup")), *(("--demo",) if site.get("TAGGER_DEMO") != "0" else ()))
    return manage(site, "prepare_site", *options)


def manage(site: Mapping[str, str], *arguments: str) -> Program:
    """A command that says in the terminal what it has to say."""
    return Program(arguments[0], [sys.executable, "-m", "manage", *arguments], None, site, restart=False)


def web(site: Mapping[str, str], home: Home, listener: socket.socket) -> Program:
    """Without an access log, as IP addresses are personal data."""
    command = [
        *(sys.executable, "-m", "gunicorn", "--bind", f"fd://{listener.fileno()}"),
        *("--worker-class", "tagger.local.web_worker.BufferingWorker", "--workers", "2", "--threads", "16"),
        *("--graceful-timeout", "15", "--no-sendfile"),
        "--preload",  # the workers share one import of Django
        # Workers touch a file as a heartbeat; on a busy disk that alone can exceed their timeout.
        *(("--worker-tmp-dir", "/dev/shm") if os.access("/dev/shm", os.W_OK) else ()),
        # Gunicorn itself also reads what a web server in front says of HTTPS.
        *(
            ("--forwarded-allow-ips", trusted)
            if (trusted := site.get("TRUSTED_PROXIES", "").replace(" ", "").strip(","))
            else ()
        ),
        *("--no-control-socket", "tagger.wsgi:application"),
    ]
    keep_open = (listener.fileno(), home.lock)
    return Program(
        "web", command, home.log("web"), site, keep_open=keep_open, parent_died_signal=signal.SIGQUIT
    )


def worker(site: Mapping[str, str], home: Home) -> Program:
    command = [
        *(sys.executable, "-m", "celery", "-A", "tagger", "worker"),
        *("-Q", "celery,imports,webhooks", "--concurrency", "2"),
        *("--without-gossip", "--without-mingle", "--without-heartbeat"),
    ]
    return _celery_worker("worker", command, site, home)


def eraser(site: Mapping[str, str], home: Home) -> Program:
    """A worker for erasures and key rotation alone, so that neither they nor settling wait for the other."""
    command = [
        *(sys.executable, "-m", "celery", "-A", "tagger", "worker", "-Q", "erasures", "--pool", "solo"),
        *("--hostname", "eraser@%h", "--without-gossip", "--without-mingle", "--without-heartbeat"),
    ]
    return _celery_worker("eraser", command, site, home)


def _celery_worker(name: str, command: list[str], site: Mapping[str, str], home: Home) -> Program:
    return Program(
        name, command, home.log(name), site, keep_open=(home.lock,), parent_died_signal=signal.SIGQUIT
    )


def beat(site: Mapping[str, str], home: Home) -> Program:
    schedule = str(home.run / "beat-schedule")
    command = [sys.executable, "-m", "celery", "-A", "tagger", "beat", "--schedule", schedule, "--pidfile="]
    return Program("beat", command, home.log("beat"), site, keep_open=(home.lock,))


def wait_until_ready(port: int, supervisor: Supervisor) -> None:
    """Wait until /readyz answers 200. Raises StartRefused after `SECONDS_TO_START`."""
    try:
        supervisor.wait_for(lambda: readiness(port) == 200, SECONDS_TO_START)
    except TimeoutError as error:
        raise StartRefused(
            f"the site did not become ready: /readyz answers {readiness(port) or 'nothing'}; see the logs"
        ) from error


def readiness(port: int) -> int | None:
    """The status of /readyz, None if it does not answer. The header stops a redirect to HTTPS."""
    connection = http.client.HTTPConnection(ports.HOST, port, timeout=1)
    try:
        connection.request("GET", "/readyz", headers={"Host": "localhost", "X-Forwarded-Proto": "https"})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
