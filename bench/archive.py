"""How fast an archive streams, beside a tar of the same files lying there in plain, in one run."""

import subprocess
import tempfile
import time
from pathlib import Path

import httpx

from bench import clips
from bench.settling import _running, _standing_still, _used
from tests.site import Site

NEEDS_DATA = False

CLIPS, TIMES = 4_000, 5
LINE = "{:52} {:>10} {:>12}"

# Settled and released by hand: how labels come about is what other parts measure.
RELEASE = """
from accounts.models import Role, User
from datasets.models import Task
from knox.models import AuthToken
Task.objects.update(status="settled", plain_answer="yes", confidence=0.99, plain_soft={soft!r})
person = User.objects.create_user("bench", roles=[Role.RESEARCHER])
print(AuthToken.objects.create(person)[1])
"""
SOFT = {"votes": {"yes": 3, "no": 0}, "shares": {"yes": 0.99, "no": 0.01}}


def main(data: Path) -> None:
    with tempfile.TemporaryDirectory() as folder, _running(Path(folder, "home")) as site:
        token = _fill(site, Path(folder, "clips"))
        plain = Path(folder, "plain")
        site.manage("export", "bench", "--format", "precise", "--to", plain)
        pids = site.children()
        with _standing_still([pids["worker"], pids["beat"]]):
            tar = min(_tar(plain) for _ in range(TIMES))
            before = _used(pids["web"]), _used(pids["postgres"])
            streams = [_download(site, token) for _ in range(TIMES)]
            used = _used(pids["web"]) - before[0], _used(pids["postgres"]) - before[1]
            begins = min(_download(site, token, "bytes=0-511")[1] for _ in range(TIMES))
        size, took = min(streams, key=lambda each: each[1])
        print(f"{CLIPS:,} clips of 1 to 3 s, {size / 1e6:.0f} MB; the best of {TIMES}\n")
        print(LINE.format("", "seconds", "MB a second"))
        print(
            LINE.format(
                "tar of plain files (GNU tar, through a pipe)", f"{tar:.2f}", f"{size / tar / 1e6:.0f}"
            )
        )
        print(LINE.format("GET …/precise.tar of the running site", f"{took:.2f}", f"{size / took / 1e6:.0f}"))
        print(LINE.format("  of which until its first byte, in any Range", f"{begins:.2f}", ""))
        each = [f"{1000 * part / TIMES / CLIPS:.3f}" for part in used]
        print(f"\nThe archive streams at {tar / took:.2f} of the rate of tar.")
        print(f"Processor ms a clip: web {each[0]}, database {each[1]}.")


def _fill(site: Site, folder: Path) -> str:
    """A release of so many clips; the token of somebody who may have it."""
    clips.write(folder, CLIPS)
    site.manage("create_campaign", "bench", "--kind", "wake-word", "--language", "en", "--wake-word", "hey")
    said = ("--contributor", "bench", "--consent-reference", "synthesised")
    site.manage("import_clips", folder, "--campaign", "bench", *said)
    token = site.manage("shell", "--no-imports", "-c", RELEASE.format(soft=SOFT)).stdout.strip()
    site.manage("release", "bench", "--campaign", "bench")
    return token


def _tar(folder: Path) -> float:
    """Seconds until another process has read all of it, as a server's client does."""
    start = time.perf_counter()
    with subprocess.Popen(["tar", "-cf", "-", "-C", folder, "."], stdout=subprocess.PIPE) as tar:
        while tar.stdout and tar.stdout.read(2**20):
            pass
    return time.perf_counter() - start


def _download(site: Site, token: str, part: str = "") -> tuple[int, float]:
    headers = {"Authorization": f"Token {token}"} | ({"Range": part} if part else {})
    start, size = time.perf_counter(), 0
    address = f"{site.url}/api/v1/releases/bench/precise.tar"
    with httpx.stream("GET", address, headers=headers, timeout=600) as answer:
        answer.raise_for_status()
        for chunk in answer.iter_raw():
            size += len(chunk)
    return size, time.perf_counter() - start
