"""Gunicorn on a unix socket and on TCP, as a web server in front of it sees it. Then Redis is scanned."""

import secrets
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import httpx
import pytest
from redis import Redis

from accounts.models import User
from tests.support.mutants import mutant
from tests.support.scan import Scanner

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "a long pass phrase"
PROXY, STRANGER = "127.0.0.2", "127.66.77.88"
TRIES = 25  # more than two windows allow


@pytest.fixture
def served(site_environment):
    """The site on a unix socket and on a port, where only one address is a trusted web server."""
    site_environment |= {
        "TRUSTED_PROXIES": PROXY,
        "HTTPS": "0",
        "DJANGO_SETTINGS_MODULE": "tests.support.quick_passwords",
    }
    with (
        tempfile.TemporaryDirectory() as folder,
        socket.create_server(("127.0.0.1", 0)) as tcp,
        socket.create_server(f"{folder}/web.sock", family=socket.AF_UNIX) as unix,
    ):
        Path(site_environment["TAGGER_HOME"], "static").mkdir(exist_ok=True)
        server = subprocess.Popen(
            [
                *(sys.executable, "-m", "gunicorn", "--threads", "4"),
                *("--bind", f"fd://{tcp.fileno()}", "--bind", f"fd://{unix.fileno()}"),
                *("--forwarded-allow-ips", PROXY, "--no-control-socket", "tagger.wsgi"),
            ],
            cwd=ROOT,
            env=site_environment | {"DEBUG": "1"},
            pass_fds=[tcp.fileno(), unix.fileno()],
        )
        try:
            yield Served(f"{folder}/web.sock", tcp.getsockname()[1])
        finally:
            server.terminate()
            server.wait(timeout=60)


class Served:
    def __init__(self, path, port):
        self.path, self.port = path, port

    def over_socket(self, client=None):
        return self._visitor(client, uds=self.path)

    def over_tcp(self, peer, client=None):
        return self._visitor(client, local_address=peer)

    def _visitor(self, client, **transport):
        headers = {"X-Forwarded-For": client} if client else {}
        return httpx.Client(
            base_url=f"http://localhost:{self.port}",
            headers=headers,
            transport=httpx.HTTPTransport(**transport),
            timeout=60,
        )


def some_address():
    """A client's address that no other run counted: from the networks for tests of benchmarks."""
    return f"198.18.{secrets.randbelow(256)}.{100 + secrets.randbelow(100)}"


def send(visitor, address, **fields):
    visitor.get("/accounts/login/")
    token = {"csrfmiddlewaretoken": visitor.cookies["csrftoken"]}
    return visitor.post(address, data=fields | token)


def log_in(visitor, name="wendy", password="wrong"):
    return send(visitor, "/accounts/login/", login=name, password=password)


def is_stopped(*visitors):
    """Whether wrong passwords of these, in turn, end with a 429."""
    return any(log_in(visitors[number % len(visitors)]).status_code == 429 for number in range(TRIES))


@mutant(
    "what a client pretends to be, without a trusted web server, changes nothing",
    "accounts/client_addresses.py",
    kept_by="    return not peer or _is_trusted(read(peer))",
    broken="    return True",
)
@pytest.mark.django_db(transaction=True)
def test_behind_a_web_server_each_visitor_has_limits_of_their_own_and_no_address_is_left(served, settings):
    User.objects.create_user("wendy", password=PASSWORD)
    one, other, third = (some_address() for _ in range(3))

    # Over a unix socket people log in, whether the web server names the client or not.
    assert log_in(served.over_socket(), password=PASSWORD).status_code == 302
    assert log_in(served.over_socket(one), password=PASSWORD).status_code == 302

    # Two clients behind one trusted web server are limited apart, on both ways to the site.
    assert is_stopped(served.over_tcp(PROXY, one))
    assert log_in(served.over_socket(one), password=PASSWORD).status_code == 429
    assert log_in(served.over_tcp(PROXY, other), password=PASSWORD).status_code == 302
    assert log_in(served.over_socket(other), password=PASSWORD).status_code == 302

    # Whoever connects directly is one client, whatever they claim.
    assert is_stopped(*(served.over_tcp(STRANGER, some_address()) for _ in range(TRIES)))

    # A class behind one address signs up.
    for number in range(30):
        fields = {"username": f"pupil{number}", "password1": PASSWORD}
        assert send(served.over_tcp(PROXY, third), "/accounts/signup/", **fields).status_code == 302
    codes = [served.over_tcp(STRANGER).get("/v1/device/code?state=x").status_code for _ in range(3)]
    assert codes == [200] * 3

    canaries = {each: each for each in (one, other, third, STRANGER)}
    with Redis.from_url(settings.REDIS_URL) as redis:
        keys = list(redis.scan_iter())
        everything = b"\0".join(key + b"\0" + (redis.dump(key) or b"") for key in keys)
    assert len([key for key in keys if key.startswith(b"limit:")]) > 10
    assert Scanner(canaries).find(everything) == set()
