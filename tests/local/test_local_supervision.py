"""A child that dies is restarted, one that keeps dying stops the site, and none outlives the launcher."""

import json
import os
import signal
import subprocess
import sys

import pytest

from tagger.local import addresses
from tests.support import servers
from tests.support.site import ROOT, Site, alive, eventually


@pytest.fixture(scope="module")
def one_site(tmp_path_factory):
    site = Site(tmp_path_factory.mktemp("site") / "home")
    site.start()
    yield site
    site.kill()
    site.remove_data()


@pytest.fixture
def fragile(one_site):
    """A site to be broken. The tests share it, because a start takes long."""
    if not one_site.is_ready():
        start_again(one_site)
    return one_site


@pytest.fixture
def unbroken(fragile):
    """A site whose children never died."""
    if "starting it again" in fragile.said:
        start_again(fragile)
    return fragile


def start_again(site):
    site.kill()
    site.start()


def test_a_killed_child_is_reported_and_restarted(fragile):
    for name in ("web", "worker", "eraser", "beat", "postgres", "valkey"):
        killed = fragile.children()[name]
        os.kill(killed, signal.SIGKILL)
        fragile.wait_for_line(f"{name} was killed by SIGKILL; starting it again.")
        assert fragile.children().get(name) != killed
        assert eventually(fragile.is_ready), fragile.report(f"not ready after the end of {name}")
    assert eventually(lambda: worker_answers(fragile)), fragile.report("the worker no longer answers")


def test_a_killed_launcher_leaves_no_process_and_the_next_one_starts(fragile):
    family = fragile.family()
    assert len(family) > 10
    fragile.launcher.kill()
    fragile.wait()
    assert addresses.find(fragile.home) == {}
    assert eventually(lambda: not alive(family)), alive(family)
    fragile.start()
    assert fragile.is_ready()


def test_five_deaths_in_a_minute_stop_the_site_with_a_reason(unbroken):
    family = unbroken.family()
    for death in range(1, 6):
        os.kill(eventually(lambda: unbroken.children().get("valkey")), signal.SIGKILL)
        if death < 5:
            unbroken.wait_for_line("valkey was killed by SIGKILL; starting it again.", times=death)
    assert unbroken.wait() == 1
    log = unbroken.home / "log" / "valkey.log"
    assert (
        f"valkey was killed by SIGKILL, the 5th end within 60 seconds. The last lines of {log}:"
        in unbroken.said
    )
    assert "Traceback" not in unbroken.said
    assert alive(family) == []


def test_servers_for_tests_vanish_with_the_process_that_asked_for_them():
    asker = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "from tests.support import servers; print(servers.first_line(servers.start())); input()",
        ],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    home = json.loads(servers.first_line(asker))["TAGGER_HOME"]
    asker.kill()
    asker.communicate()
    assert eventually(lambda: not os.path.exists(os.path.dirname(home)))


def worker_answers(site):
    command = [sys.executable, "-m", "celery", "-A", "tagger", "inspect", "ping", "--timeout", "3"]
    return b"pong" in subprocess.run(command, cwd=ROOT, env=site.env, capture_output=True).stdout
