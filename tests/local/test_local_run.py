"""`make run` on real servers, in normal use."""

import os
import signal
import socket
import stat
from contextlib import ExitStack
from pathlib import Path

import pytest

from tagger.local import addresses
from tests.support.mutants import mutant
from tests.support.site import Site


@pytest.fixture(scope="module")
def two_sites(tmp_path_factory):
    with ExitStack() as open_sites:
        homes = [tmp_path_factory.mktemp("site") / "home" for _ in range(2)]
        yield [open_sites.enter_context(Site(home)) for home in homes]


def test_two_homes_run_side_by_side_and_share_nothing(two_sites):
    one, other = two_sites
    assert one.is_ready() and other.is_ready()
    add_group(one, "only here")
    assert (count_groups(one), count_groups(other)) == ("1", "0")


def test_a_restart_after_sigterm_keeps_data_and_key(two_sites):
    site = two_sites[0]
    before = count_groups(site), addresses.find(site.home)["SECRET_KEY"]
    site.stop(signal.SIGTERM)
    site.start()
    assert (count_groups(site), addresses.find(site.home)["SECRET_KEY"]) == before


def test_a_second_start_on_the_same_home_is_refused(two_sites):
    second = Site(two_sites[0].home)
    assert second.refusal() == (
        f"TAGGER_HOME {second.home} is in use by another `make run`; choose another folder:"
        " TAGGER_HOME=/some/folder make run"
    )


def test_a_busy_port_is_refused_and_another_one_is_suggested(two_sites, tmp_path):
    busy = Site(tmp_path / "home", port=two_sites[0].port)
    assert busy.refusal().startswith(f"port {busy.port} is in use; try another: PORT=")


def test_the_site_listens_on_the_loopback_address_alone(two_sites):
    ports = {site.port for site in two_sites}
    assert {address for address, port, _ in listening() if port in ports} == {"127.0.0.1"}


def test_no_embedded_server_listens_on_a_port(two_sites):
    pids = [pid for pid, _ in two_sites[0].family()]
    assert ports_of(pids) == {two_sites[0].port}


def test_the_launcher_loads_the_site_without_opening_a_connection(two_sites):
    """Its programs would share it. They get the home's lock, and one the socket on which the site listens."""
    site = two_sites[0]
    held = {name: opened_by(pid) for name, pid in site.children().items()}
    launchers = opened_by(site.launcher.pid)
    assert len([each for each in launchers if each.startswith("socket:")]) == 1
    shared = {name: launchers & held[name] - {os.devnull} for name in ("web", "worker", "eraser", "beat")}
    lock = str(site.home / "run" / "lock")
    assert [name for name, files in shared.items() if files != {lock}] == ["web"]
    assert {file.partition(":")[0] for file in shared["web"]} == {lock, "socket"}


def test_files_with_secrets_are_closed_to_others(two_sites):
    home = two_sites[0].home
    for path in (home / "secret_key", home / "run" / "servers.json", home / "log" / "web.log"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((home / "postgres").stat().st_mode) == 0o700
    assert stat.S_IMODE(home.stat().st_mode) & 0o066 == 0


def test_the_broker_leaves_nothing_on_disk(two_sites):
    assert list((two_sites[0].home / "valkey").iterdir()) == []


def test_a_stale_pid_file_after_a_power_cut_does_not_stop_the_next_start(two_sites):
    """Its pid may belong to any process since; here it belongs to a live one."""
    site = two_sites[1]
    site.stop(signal.SIGHUP)
    stale = (
        f"{os.getppid()}\n{site.home}/postgres\n1700000000\n5432\n/nowhere\n\n  1234567         0\nready\n"
    )
    (site.home / "postgres" / "postmaster.pid").write_text(stale)
    site.start()
    assert site.is_ready()


def test_a_command_in_another_terminal_says_when_no_site_is_running(tmp_path):
    done = Site(tmp_path).manage("migrate", "--check", check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"manage.py: no site is running in {tmp_path}: start `make run` in another terminal,"
        " or set DATABASE_URL\n"
    )


@mutant(
    "a second terminal's commands know the address of the running site",
    "tagger/local/run.py",
    kept_by='TOLD = ("PORT", ',
    broken="TOLD = (",
)
def test_a_command_in_another_terminal_knows_the_address_of_the_running_site(two_sites):
    for site in two_sites:
        site_url = "from django.conf import settings; print(settings.SITE_URL, settings.HTTPS)"
        env = {name: value for name, value in site.env.items() if name != "PORT"}
        said = site.manage("shell", "--no-imports", "-c", site_url, env=env).stdout.split()
        assert said == [site.url, "False"]


def add_group(site, name):
    run_python(site, f"Group.objects.create(name={name!r})")


def count_groups(site):
    return run_python(site, "print(Group.objects.count())")


def run_python(site, code):
    code = f"from django.contrib.auth.models import Group; {code}"
    return site.manage("shell", "--no-imports", "-c", code).stdout.strip()


def listening():
    """(address, port, inode) of every listening TCP socket on this machine."""
    for path, family in ((Path("/proc/net/tcp"), socket.AF_INET), (Path("/proc/net/tcp6"), socket.AF_INET6)):
        rows = [line.split() for line in path.read_text().splitlines()[1:]] if path.exists() else []
        for row in rows:
            address, port = row[1].split(":")
            if row[3] == "0A":
                yield readable(address, family), int(port, 16), row[9]


def readable(address, family):
    words = [bytes.fromhex(address[start : start + 8])[::-1] for start in range(0, len(address), 8)]
    return socket.inet_ntop(family, b"".join(words))


def ports_of(pids):
    """The TCP ports on which these processes listen."""
    opened = set().union(*map(opened_by, pids))
    return {port for _, port, inode in listening() if f"socket:[{inode}]" in opened}


def opened_by(pid):
    return {os.readlink(link) for link in Path(f"/proc/{pid}/fd").iterdir()}
