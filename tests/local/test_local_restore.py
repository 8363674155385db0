"""A site of `make run` is backed up while it runs, and restored into another home."""

import shutil
import subprocess
import sys

import httpx

from tests.support.site import ROOT, QuickSite, Site

PEOPLE = """
from accounts.models import User
for name in ("stayer", "leaver"):
    User.objects.create_user(name, password="a long pass phrase")
"""
LEAVE = """
from accounts.models import User
from django.utils import timezone
from tagger.privacy import tasks, withdrawal
withdrawal.forget_account(User.objects.get_by_natural_key("leaver"), False, timezone.now())
tasks.scrub_unfinished()
"""


def restore(site, folder):
    command = [sys.executable, "-m", "tagger.local", "restore", str(folder)]
    return subprocess.run(command, cwd=ROOT, env=site.env, capture_output=True, text=True)


def may_log_in(site, name):
    with httpx.Client(base_url=site.url) as browser:
        page = browser.get("/accounts/login/").text
        token = page.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
        sent = {"login": name, "password": "a long pass phrase", "csrfmiddlewaretoken": token}
        return browser.post("/accounts/login/", data=sent).status_code == 302


def test_a_home_is_restored_elsewhere_without_who_left(tmp_path):
    with QuickSite(tmp_path / "first") as first:
        first.manage("shell", "-v", "0", "-c", PEOPLE)
        first.manage("backup", tmp_path / "backup")
        first.manage("shell", "-v", "0", "-c", LEAVE)
        assert not may_log_in(first, "leaver")
        second = Site(tmp_path / "second")
        without_keys = restore(second, tmp_path / "backup")
        assert without_keys.returncode == 1 and "put the newest copy of its key folder" in without_keys.stderr
        shutil.copytree(first.home / "keys", second.home / "keys")
        done = restore(second, tmp_path / "backup")
        assert done.returncode == 0 and "1 erased again" in done.stdout, done.stdout + done.stderr
    with second:
        assert may_log_in(second, "stayer") and not may_log_in(second, "leaver")
        assert "Everything is in order" in second.manage("reconcile").stdout
