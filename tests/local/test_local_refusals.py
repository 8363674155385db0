"""A start that cannot work is refused with one line that says what to change and shows no password."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tagger.local import external, install, ports
from tagger.local.refusal import StartRefused
from tests.support.mutants import mutant
from tests.support.site import ROOT, Site, free_port

PASSWORD = "hunter2"
DAMAGED = [b"", b'{"requirements": "', b"\xff\xfe", b"\0" * 90, b"[]", b"{}", b"null"]


@pytest.mark.parametrize("port", ["eighty", "0", "65536", "-1", "8000 "])
def test_an_invalid_port_is_refused(port):
    with pytest.raises(StartRefused, match="PORT must be a number from 1 to 65535"):
        ports.parse(port)


def test_a_bad_port_ends_the_start(tmp_path):
    assert Site(tmp_path, port="eighty").refusal() == "PORT must be a number from 1 to 65535, not 'eighty'"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("mysql://u:hunter2@localhost/x", "DATABASE_URL must begin with postgresql:// or postgres://"),
        ("hunter2", "DATABASE_URL must begin with postgresql:// or postgres://"),
        ("postgresql://u:hunter2@localhost:port/x", "DATABASE_URL is not a valid URL"),
        ("postgresql://u:hunter2@secret@localhost/x", "DATABASE_URL is not a valid URL"),
        ("postgresql://u:hunter2/secret@localhost/x", "DATABASE_URL is not a valid URL"),
        ("postgresql://u:%zzhunter2@localhost/x", "DATABASE_URL is not a valid URL"),
        (
            "postgresql://u:hunter2@localhost:{free}/x",
            "DATABASE_URL: cannot connect to the server: .*refused",
        ),
        (
            "postgresql://u:hunter2@nowhere.invalid/x",
            "DATABASE_URL: cannot connect to the server: .*nowhere.invalid",
        ),
        ("postgresql://u@hunter2/x?password=hunter2", "DATABASE_URL: cannot connect to the server: "),
    ],
)
def test_an_unusable_database_is_reported_without_its_password(url, reason):
    with pytest.raises(StartRefused, match=f"^{reason}") as refusal:
        external.check_database(url.format(free=free_port()))
    assert PASSWORD not in str(refusal.value) and "secret" not in str(refusal.value)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://:hunter2@localhost", "REDIS_URL must begin with redis:// or rediss:// or unix://"),
        ("redis://:hunter2@localhost:port/0", "REDIS_URL is not a valid URL"),
        ("redis://:hunter2@localhost:{free}/0", "REDIS_URL: cannot connect to the server: .*refused"),
        ("unix:///nowhere/hunter.sock", "REDIS_URL: cannot connect to the server: .*No such file"),
    ],
)
def test_an_unusable_redis_is_reported_without_its_password(url, reason):
    with pytest.raises(StartRefused, match=f"^{reason}") as refusal:
        external.check_redis(url.format(free=free_port()))
    assert PASSWORD not in str(refusal.value)


def test_a_redis_that_never_answers_times_out(monkeypatch):
    monkeypatch.setattr(external, "SECONDS_TO_ANSWER", 0.1)
    refused = pytest.raises(StartRefused, match=r"^REDIS_URL: cannot connect to the server: Timeout")
    with socket.create_server(("127.0.0.1", 0)) as silent, refused:
        external.check_redis(f"redis://127.0.0.1:{silent.getsockname()[1]}")


@pytest.mark.parametrize(("variable", "scheme"), [("DATABASE_URL", "postgresql"), ("REDIS_URL", "redis")])
def test_a_server_that_cannot_be_reached_ends_the_start(tmp_path, variable, scheme):
    refused = Site(tmp_path, **{variable: f"{scheme}://u:{PASSWORD}@127.0.0.1:{free_port()}/0"}).refusal()
    assert refused.startswith(f"{variable}: cannot connect to the server: ") and "refused" in refused
    assert PASSWORD not in refused


def test_a_home_that_cannot_be_created_is_refused(tmp_path):
    (tmp_path / "file").touch()
    home = tmp_path / "file" / "home"
    assert Site(home).refusal() == f"TAGGER_HOME {home} cannot be written: Not a directory"


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        (
            "WARNING: Retrying NewConnectionError('<...>: Failed to establish a new connection: [Errno -3] "
            "Temporary failure in name resolution')\nERROR: No matching distribution found for amqp==5.4.2",
            "no connection to the package index",
        ),
        (
            "ERROR: No matching distribution found for av==18.1.0",
            "no ready-made package of av==18.1.0 for this machine",
        ),
        (
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
            "the disk is full",
        ),
        (
            "The virtual environment was not created successfully because ensurepip is not available.",
            "no venv module",
        ),
        (
            "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.",
            "a downloaded package is not the one in the requirements file",
        ),
        ("ERROR: something new", "pip failed: ERROR: something new"),
    ],
)
def test_a_failed_installation_is_explained(tmp_path, monkeypatch, output, reason):
    log = tmp_path / "log"
    log.write_text(output)
    monkeypatch.setattr(install, "LOG", str(log))
    assert reason in install.reason()


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A stamp that says the packages for local use are installed."""
    monkeypatch.setattr(install, "PYTHON", sys.executable)
    monkeypatch.setattr(install, "STAMP", str(tmp_path / "installed.json"))
    (tmp_path / "installed.json").write_text(json.dumps(install.expected_stamp("local")))
    assert install.is_installed("local") and not install.is_installed("dev")
    return tmp_path / "installed.json"


@mutant(
    "a damaged stamp repeats the installation and does not end it",
    "tagger/local/install.py",
    kept_by="any(found == expected_stamp(name) for name in later)",
    broken='any(found["requirements"] == digest(name) for name in later)',
)
@pytest.mark.parametrize("content", DAMAGED)
def test_a_damaged_stamp_means_not_installed(installed, content):
    installed.write_bytes(content)
    assert not install.is_installed("local")


def test_readers_have_an_environment_of_their_own(installed, tmp_path, monkeypatch):
    """One of their packages is called `datasets`, like one of ours."""
    for name in ("VENV", "PYTHON", "STAMP", "LOG"):
        monkeypatch.setattr(install, name, getattr(install, name))  # to be put back
    install.install_into(str(tmp_path / "readers"))
    assert str(tmp_path / "readers" / "installed.json") == install.STAMP
    assert not install.is_installed("readers")
    assert "datasets" not in package_names("dev") and "datasets" in package_names("readers")


def package_names(extra):
    lines = Path(install.requirements(extra)).read_text().splitlines()
    return {line.partition("==")[0] for line in lines}


def test_the_stamp_is_written_by_the_script_alone(tmp_path):
    """It runs before anything is installed: `tagger` cannot be imported, only the standard library."""
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT / 'tagger' / 'local')!r})\n"
        f"import install; install.STAMP = {str(tmp_path / 'stamp')!r}; install.PYTHON = sys.executable\n"
        "install.stamp('local'); assert 'tagger' not in sys.modules and install.is_installed('local')"
    )
    subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True)
