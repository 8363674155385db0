"""How fast an archive streams, compared with GNU tar on the same files unencrypted, in one run.

And how the site answers others while twenty readers take an archive very slowly.
"""

import http.client
import re
import socket
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from statistics import median
from threading import Event, Thread
from typing import NamedTuple

from bench import clips, sites
from tests.support.site import Site

NEEDS_DATA = False

CLIPS, TIMES = 4_000, 5
SLOW_READERS, SLOW_BYTES, SLOW_PAUSE = 20, 4_096, 0.2  # each takes 20 kB a second
PAGES = 60
CHUNK = 2**20  # bytes
LINE = "{:52} {:>10} {:>12}"

# Settled by a statement, because other parts measure settling. ANALYZE, because until the first autovacuum
# the database plans for empty tables.
SETTLE = """
from datasets.models import Task
Task.objects.update(status="settled", plain_answer="yes", confidence=0.99, plain_soft={soft!r})
"""
READY = """
from allauth.mfa.models import Authenticator
from accounts.models import ProgramToken, Role, User
from datasets.access import asking, terms
from datasets.access.sealing import About
from datasets.models import Release
from django.db import connection
from django.utils import timezone
connection.cursor().execute("ANALYZE")
person = User.objects.create_user("bench", roles=[Role.RESEARCHER])
Authenticator.objects.create(user=person, type="totp", data={"secret": "none"})
release = Release.objects.get(slug="bench")
asking.ask(person, release, About("bench", "to measure it"), terms.VERSION, timezone.now())
print(ProgramToken.objects.create(person)[1])
"""
SOFT = {"votes": {"yes": 3, "no": 0}, "shares": {"yes": 0.99, "no": 0.01}}


def main(data: Path) -> None:
    with tempfile.TemporaryDirectory() as folder, sites.running(Path(folder, "home")) as site:
        token = _fill(site, Path(folder, "clips"))
        plain = Path(folder, "plain")
        site.manage("export", "bench", "--format", "precise", "--to", plain)
        pids = site.children()
        with sites.paused([pids["worker"], pids["beat"]]):
            tar = min(_tar(plain) for _ in range(TIMES))
            before = sites.processor_seconds(pids["web"]), sites.processor_seconds(pids["postgres"])
            streams = [_download(site, token) for _ in range(TIMES)]
            used = (
                sites.processor_seconds(pids["web"]) - before[0],
                sites.processor_seconds(pids["postgres"]) - before[1],
            )
            middle, last = streams[0].size // 2, streams[0].size - 1
            one_byte = min(_download(site, token, f"bytes={middle}-{middle}").took for _ in range(TIMES))
            last_byte = min(_download(site, token, f"bytes={last}-").took for _ in range(TIMES))
            alone = _pages(site)
            with _slow_readers(site, token) as reading:
                beside, held = _pages(site), reading()
            peak = _peak_megabytes(pids["web"])
        best = min(streams, key=lambda each: each.took)
        size, took, after = best.size, best.took, min(each.took - each.first_byte for each in streams)
        print(f"{CLIPS:,} clips of 1 to 3 s, {size / 1e6:.0f} MB; the best of {TIMES}\n")
        print(LINE.format("", "seconds", "MB a second"))
        print(
            LINE.format(
                "tar of plain files (GNU tar, through a pipe)", f"{tar:.2f}", f"{size / tar / 1e6:.0f}"
            )
        )
        print(LINE.format("GET …/precise.tar of the running site", f"{took:.2f}", f"{size / took / 1e6:.0f}"))
        print(LINE.format("  until its first byte", f"{min(each.first_byte for each in streams):.2f}", ""))
        print(LINE.format("  from then on", f"{after:.2f}", f"{size / after / 1e6:.0f}"))
        print(LINE.format("  one byte in its middle", f"{one_byte:.2f}", ""))
        print(LINE.format("  its last byte", f"{last_byte:.2f}", ""))
        ms = [f"{1000 * part / TIMES / CLIPS:.3f}" for part in used]
        print(f"\nThe archive comes at {tar / took:.2f} of the rate of tar,", end=" ")
        print(f"and at {tar / after:.2f} from its first byte on.")
        print(f"Processor ms a clip: web {ms[0]}, database {ms[1]}.")
        print(f"Most memory of a web process: {peak:.0f} MB.")
        print(
            f"\nThe front page takes {1000 * median(alone):.0f} ms "
            f"(worst of {PAGES}: {1000 * max(alone):.0f}), beside {held} of {SLOW_READERS} slow readers "
            f"{1000 * median(beside):.0f} ms (worst {1000 * max(beside):.0f})."
        )


def _fill(site: Site, folder: Path) -> str:
    """Makes a release of all clips; the token of a researcher."""
    clips.write(folder, CLIPS)
    site.manage("create_campaign", "bench", "--kind", "wake-word", "--language", "en", "--wake-word", "hey")
    options = ("--contributor", "bench", "--consent-reference", "synthesised", "--licence", "CC0-1.0")
    site.manage("import_clips", folder, "--campaign", "bench", *options)
    site.manage("shell", "--no-imports", "-c", SETTLE.format(soft=SOFT))
    site.manage("release", "bench", "--campaign", "bench")
    return site.manage("shell", "--no-imports", "-c", READY).stdout.strip()


def _pages(site: Site) -> list[float]:
    """The seconds of each of some requests for the front page, one after the other."""
    took = []
    for _ in range(PAGES):
        start = time.perf_counter()
        with closing(http.client.HTTPConnection("localhost", site.port, timeout=60)) as server:
            server.request("GET", "/")
            answer = server.getresponse()
            answer.read()
            assert answer.status == 200, answer.status
        took.append(time.perf_counter() - start)
    return took


@contextmanager
def _slow_readers(site: Site, token: str) -> Iterator[Callable[[], int]]:
    """Readers who take an archive slowly until the end; a function says how many of them read at present."""
    over, bytes_read = Event(), Counter[int]()

    def read(number: int) -> None:
        with socket.create_connection(("localhost", site.port), timeout=120) as reader:
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SLOW_BYTES)
            reader.sendall(
                f"GET /api/v1/releases/bench/precise.tar HTTP/1.1\r\nHost: localhost\r\n"
                f"Authorization: Token {token}\r\n\r\n".encode()
            )
            while not over.wait(SLOW_PAUSE):
                bytes_read[number] += len(reader.recv(SLOW_BYTES))

    threads = [Thread(target=read, args=(number,)) for number in range(SLOW_READERS)]
    for thread in threads:
        thread.start()
    while sum(bytes_read.values()) < SLOW_BYTES:
        over.wait(SLOW_PAUSE)
    try:
        yield lambda: sum(found > 0 for found in bytes_read.values())
    finally:
        over.set()
        for thread in threads:
            thread.join()


def _peak_megabytes(web: int) -> float:
    """The most memory that a process of the web server had so far."""
    processes = [web, *(int(pid) for pid in Path(f"/proc/{web}/task/{web}/children").read_text().split())]
    peaks = (re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text()) for pid in processes)
    return max(int(found[1]) for found in peaks if found) / 1000


class Download(NamedTuple):
    """The size in bytes, and the seconds until the first byte and until the last."""

    size: int
    first_byte: float
    took: float


def _tar(folder: Path) -> float:
    """Seconds until this process has read all of tar's output, as a client reads a server's."""
    start = time.perf_counter()
    with subprocess.Popen(["tar", "-cf", "-", "-C", folder, "."], stdout=subprocess.PIPE) as tar:
        while tar.stdout and tar.stdout.read(CHUNK):
            pass
    return time.perf_counter() - start


def _download(site: Site, token: str, part: str = "") -> Download:
    """Reads as `_tar` does, so that only the senders are compared."""
    headers = {"Authorization": f"Token {token}"} | ({"Range": part} if part else {})
    start, size = time.perf_counter(), 0
    with closing(http.client.HTTPConnection("localhost", site.port, timeout=600)) as server:
        server.request("GET", "/api/v1/releases/bench/precise.tar", headers=headers)
        answer = server.getresponse()
        assert answer.status == (206 if part else 200), answer.status
        first_byte = time.perf_counter() - start
        while chunk := answer.read(CHUNK):
            size += len(chunk)
    return Download(size, first_byte, time.perf_counter() - start)
