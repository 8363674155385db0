"""The API called as its description says, with many made-up values, and pages beside slow clients.

API_EXAMPLES=1000 makes up more of each operation.
"""

import json
import os
import socket
import tempfile
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from time import perf_counter

import httpx

from bench import sites
from tests.support.site import Site

NEEDS_DATA = False

EXAMPLES = 100
SLOW = (0, 40, 200, 800)
ASKED = 40
HEAD = b"Host: localhost\r\n"
COOKIE = b"Cookie: csrftoken=" + b"a" * 32 + b"\r\n"  # without one, no form is read
BODY = HEAD + COOKIE + b"Content-Type: application/x-www-form-urlencoded\r\n"
BEGUN = {
    "headers": b"GET / HTTP/1.1\r\n" + HEAD,
    "bodies": b"POST /accounts/login/ HTTP/1.1\r\n" + BODY + b"Content-Length: 1000\r\n\r\nusername=",
    "readers": (b"GET /accounts/login/ HTTP/1.1\r\n" + HEAD + b"\r\n") * 50,
}
LINE = "  {:34} {:>14} {:>14}"


def main(data: Path) -> None:
    examples = int(os.environ.get("API_EXAMPLES") or EXAMPLES)
    with tempfile.TemporaryDirectory() as folder, sites.running(Path(folder, "home")) as site:
        _slow_clients(site)
        _fuzz(site, examples)


def _slow_clients(site: Site) -> None:
    """How long a page takes while others begin a request, or read an answer, and go no further."""
    print(LINE.format("slow clients", "/healthz, ms", "a page, ms"))
    for kind, begun in BEGUN.items():
        for number in SLOW if kind == "headers" else SLOW[1:]:
            with ExitStack() as stack:
                for _ in range(number):
                    slow = stack.enter_context(socket.create_connection(("localhost", site.port)))
                    slow.sendall(begun)
                times = [_milliseconds(site, path) for path in ("/healthz", "/accounts/login/")]
            name = f"{number} with slow {kind}" if number else "none"
            print(LINE.format(name, *(f"{each:.0f}" for each in times)), flush=True)


def _milliseconds(site: Site, path: str) -> float:
    times = []
    for _ in range(ASKED):
        began = perf_counter()
        httpx.get(site.url + path, timeout=60).raise_for_status()
        times.append(1000 * (perf_counter() - began))
    return median(times)


def _fuzz(site: Site, examples: int) -> None:
    code = f"from tests.support import api_fuzz; api_fuzz.tell({examples})"
    began = perf_counter()
    found = json.loads(site.manage("shell", "-v", "0", "--no-imports", "-c", code).stdout.splitlines()[-1])
    calls = sum(found["statuses"].values())
    print(f"\n{calls:,} calls of {found['operations']} operations in {perf_counter() - began:.0f} s")
    for status, number in sorted(found["statuses"].items()):
        print(f"  {status}: {number:,}")
    print(f"not as described: {len(found['broken'])}")
    for operation, what in found["broken"].items():
        print(f"  {operation}: {what}")
