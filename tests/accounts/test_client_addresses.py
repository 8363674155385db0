"""Who sent a request, behind web servers and without one. Whatever a client writes itself changes nothing."""

import os
import subprocess
import sys
from ipaddress import ip_network
from pathlib import Path

import pytest
from django.core import checks
from django.test import RequestFactory

from accounts import client_addresses
from tests.support.mutants import mutant

ROOT = Path(__file__).resolve().parents[2]
SOCKET = ""  # what Gunicorn gives as the peer of a unix socket


@pytest.fixture(autouse=True)
def proxies(settings):
    settings.TRUSTED_PROXIES = [ip_network(each) for each in ("10.1.0.0/16", "fd00::/8", "127.0.0.1")]


def request(peer, forwarded=None):
    more = {} if forwarded is None else {"HTTP_X_FORWARDED_FOR": forwarded}
    return RequestFactory().get("/", REMOTE_ADDR=peer, **more)


def client(peer, forwarded=None):
    return client_addresses.client(request(peer, forwarded))


@mutant(
    "a forged X-Forwarded-For of someone who is no trusted web server changes nothing",
    "accounts/client_addresses.py",
    kept_by="    if not comes_from_trusted(request):\n        return address\n",
    broken="",
)
def test_only_a_trusted_web_server_may_name_the_client():
    assert client("192.0.2.7", "198.51.100.1") == "192.0.2.7"
    assert client("10.1.0.9", "198.51.100.1") == "198.51.100.1"
    assert client("fd00::9", "198.51.100.1") == "198.51.100.1"
    assert client("::ffff:10.1.0.9", "198.51.100.1") == "198.51.100.1"
    assert client(SOCKET, "198.51.100.1") == "198.51.100.1"


@mutant(
    "what a client puts into X-Forwarded-For before the web server does changes nothing",
    "accounts/client_addresses.py",
    kept_by='reversed(request.META.get("HTTP_X_FORWARDED_FOR", "").split(","))',
    broken='request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")',
)
def test_the_header_is_read_from_the_right_as_far_as_trusted_web_servers_wrote_it():
    assert client("10.1.0.9", "203.0.113.5, 198.51.100.1") == "198.51.100.1"
    assert client("10.1.0.9", "203.0.113.5, 198.51.100.1, fd00::2, 10.1.0.2") == "198.51.100.1"
    assert client("10.1.0.9", "10.1.0.3,10.1.0.2") == "10.1.0.3"  # one of the web servers itself


@pytest.mark.parametrize(
    ("forwarded", "found"),
    [
        (None, "10.1.0.9"),
        ("", "10.1.0.9"),
        ("unknown", "10.1.0.9"),
        ("203.0.113.5, nonsense", "10.1.0.9"),
        ("203.0.113.5, nonsense, 10.1.0.2", "10.1.0.2"),
        (",,,", "10.1.0.9"),
        ("1.2.3", "10.1.0.9"),
        ("300.0.113.5", "10.1.0.9"),
        ("\u0661.2.3.4", "10.1.0.9"),
        ("' OR 1=1 --", "10.1.0.9"),
        ("203.0.113.5:4711", "203.0.113.5"),
        ("[2001:db8:0:5::7]:4711", "2001:db8:0:5::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("9" * 8000, "10.1.0.9"),
    ],
)
def test_nonsense_in_the_header_is_ignored(forwarded, found):
    assert client("10.1.0.9", forwarded) == found


@mutant(
    "whoever has a whole IPv6 network is one client",
    "accounts/client_addresses.py",
    kept_by="ONE_CLIENT = 64",
    broken="ONE_CLIENT = 128",
)
def test_an_ipv6_network_is_one_client_and_a_mapped_ipv4_address_is_itself():
    assert client("2001:db8:0:5::1") == client("2001:db8:0:5:ffff::9") != client("2001:db8:0:6::1")
    assert client("::ffff:192.0.2.7") == client("192.0.2.7") == "192.0.2.7"


def test_a_unix_socket_that_names_no_client_is_one_client():
    assert client(SOCKET) == client(SOCKET, "nonsense") == client_addresses.UNKNOWN


@mutant(
    "only a trusted web server says that a request came over HTTPS",
    "accounts/client_addresses.py",
    kept_by="and not comes_from_trusted(request):",
    broken="and False:",
)
def test_only_a_trusted_web_server_may_name_the_protocol(settings):
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    is_secure = client_addresses.only_trusted_protocol(lambda sent: sent.is_secure())
    peers = ("192.0.2.7", "10.1.0.9", SOCKET)
    sent = [RequestFactory().get("/", REMOTE_ADDR=peer, HTTP_X_FORWARDED_PROTO="https") for peer in peers]
    assert [is_secure(each) for each in sent] == [False, True, True]


@pytest.mark.parametrize(
    ("proxies", "says"),
    [
        ("127.0.0.1,10.0.0.300", "TRUSTED_PROXIES has '10.0.0.300'"),
        ("10.1.2.3/8", "TRUSTED_PROXIES has '10.1.2.3/8'"),
        ("nginx", "TRUSTED_PROXIES has 'nginx'"),
        ("::/0", "TRUSTED_PROXIES has '::/0'"),
    ],
)
def test_a_wrong_network_stops_the_start_and_is_named(proxies, says):
    done = read_settings("TRUSTED_PROXIES", TRUSTED_PROXIES=proxies)
    assert done.returncode != 0 and says in done.stderr.splitlines()[-1]


def read_settings(*names, **environment):
    code = f"from tagger import settings; print(*(getattr(settings, name) for name in {names}))"
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=os.environ | environment, capture_output=True, text=True
    )


@pytest.mark.parametrize(
    ("environment", "header"),
    [
        ({}, "None"),
        ({"TRUSTED_PROXIES": "127.0.0.1, ::1"}, "('HTTP_X_FORWARDED_PROTO', 'https')"),
        ({"BEHIND_PROXY": "1"}, "('HTTP_X_FORWARDED_PROTO', 'https')"),
        ({"BEHIND_PROXY": "0", "TRUSTED_PROXIES": "127.0.0.1"}, "None"),
    ],
)
def test_one_setting_names_the_web_servers_and_the_older_one_still_works(environment, header):
    assert read_settings("SECURE_PROXY_SSL_HEADER", **environment).stdout.strip() == header


def test_the_deployment_check_asks_for_the_names_of_the_web_servers(db, settings):
    settings.BEHIND_PROXY = True
    assert warned() == set()
    settings.TRUSTED_PROXIES = []
    assert warned() == {"accounts.W001"}
    settings.BEHIND_PROXY = False
    assert warned() == set()


def warned():
    found = checks.run_checks(include_deployment_checks=True, tags=[checks.Tags.security])
    return {each.id for each in found if each.id.startswith("accounts.")}
