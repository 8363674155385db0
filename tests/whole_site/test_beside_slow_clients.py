"""The site as `make run` starts it answers others beside hundreds who begin a request and do not end it."""

import httpx
import pytest

from tests.local.test_slow_clients import BEGUN_HEAD, SECONDS, clients
from tests.support.mutants import mutant

BEGUN_LOG_IN = (
    b"POST /accounts/login/ HTTP/1.1\r\nHost: localhost\r\nCookie: csrftoken=" + b"a" * 32 + b"\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\nlogin="
)


@mutant(
    "the site answers beside slow clients",
    "tagger/local/run.py",
    kept_by='"--worker-class", "tagger.local.web_worker.BufferingWorker"',
    broken='"--worker-class", "gthread"',
)
@pytest.mark.parametrize("begun", [BEGUN_HEAD, BEGUN_LOG_IN], ids=["headers", "bodies"])
def test_a_page_is_answered_beside_two_hundred_slow_clients(site, begun):
    with clients(site.port, 200, begun):
        for path in ("/healthz", "/accounts/login/"):
            assert httpx.get(site.url + path, timeout=SECONDS).status_code == 200


def test_a_large_body_gets_its_refusal_from_the_running_site(site):
    """Over a real connection: it is read by no one, and its sender still gets the page."""
    answer = httpx.post(f"{site.url}/accounts/login/", files={"a": b"x" * 20_000_000}, timeout=SECONDS)
    assert answer.status_code == 413 and "This is too large" in answer.text
