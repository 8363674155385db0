"""Nothing is sent where it must not be: into the site's own network, in plain, or to a host not allowed."""

import ipaddress
import socket
import threading
import time
from contextlib import suppress

import pytest

from datasets.models import Delivery
from datasets.webhooks import places, posting
from datasets.webhooks.refusals import WebhookRefused
from tests.support.mutants import mutant
from tests.support.receiver import receiving

INSIDE = [
    *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"),
    *("224.0.0.1", "255.255.255.255", "240.0.0.1", "::1", "::", "fe80::1", "fe80::1%1", "fc00::1", "ff02::1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:1::", "64:ff9b::7f00:1", "64:ff9b::a00:1"),
    *("::7f00:1", "2001:0:4136:e378:8000:63bf:f5ff:fffe"),
]
Fault = Delivery.Fault


@pytest.fixture
def any_host(settings):
    settings.WEBHOOKS = ["*"]


@pytest.fixture
def named(monkeypatch):
    """Makes every name mean these addresses, one list for each time that it is looked up."""

    def set_to(*answers):
        turns = list(answers)

        def getaddrinfo(host, port, *_args, **_named):
            return [
                (socket.AF_INET6 if ":" in each else socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port))
                for each in (turns.pop(0) if len(turns) > 1 else turns[0])
            ]

        monkeypatch.setattr(places.socket, "getaddrinfo", getaddrinfo)

    return set_to


@mutant(
    "no webhook makes this server call into its own network",
    "datasets/webhooks/places.py",
    kept_by="    return address.is_global and not (address.is_multicast or address.is_reserved)\n",
    broken="    return True\n",
)
@mutant(
    "an address that leads to an inner one is one",
    "datasets/webhooks/places.py",
    kept_by="    address = _real(address)\n",
    broken="",
)
@pytest.mark.parametrize("address", INSIDE)
def test_an_address_inside_is_not_connected_to(any_host, named, address):
    named([address])
    with pytest.raises(places.Unreachable) as refused:
        places.look_up(places.place("https://hooks.example.org/"))
    assert refused.value.fault == Fault.NOT_PUBLIC


@mutant(
    "one inner address among public ones is enough to refuse",
    "datasets/webhooks/places.py",
    kept_by="    if not all(may_connect",
    broken="    if not any(may_connect",
)
def test_one_of_several_addresses_inside_is_enough(any_host, named):
    named(["93.184.215.14", "10.0.0.1"])
    with pytest.raises(places.Unreachable):
        places.look_up(places.place("https://hooks.example.org/"))


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07::1", "64:ff9b::5db8:d70e"])
def test_a_public_address_is_connected_to(any_host, named, address):
    named([address])
    assert places.look_up(places.place("https://hooks.example.org/")) == [address]


def test_a_network_that_the_operator_names_is_allowed(any_host, named, settings):
    settings.WEBHOOK_NETWORKS = [ipaddress.ip_network("10.1.0.0/16")]
    named(["10.1.2.3"])
    assert places.look_up(places.place("https://hooks.inside.example/")) == ["10.1.2.3"]
    named(["10.2.2.3"])
    with pytest.raises(places.Unreachable):
        places.look_up(places.place("https://hooks.inside.example/"))


@mutant(
    "a name that means another address the second time is connected to by the first",
    "datasets/webhooks/posting.py",
    kept_by="        return socket.create_connection((address, self.port), SECONDS_TO_CONNECT)\n",
    broken="        return socket.create_connection((self.host, self.port), SECONDS_TO_CONNECT)\n",
)
def test_the_connection_goes_to_the_address_that_was_checked(any_host, named, monkeypatch):
    named(["93.184.215.14"], ["127.0.0.1"])  # rebound after it was checked
    reached = []

    def create_connection(address, timeout):
        reached.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(posting.socket, "create_connection", create_connection)
    answer = posting.post("https://rebinds.example.org/", {}, "{}")
    assert answer.fault == Fault.NO_CONNECTION
    assert reached == [("93.184.215.14", 443)]


@mutant(
    "nothing is sent to a host that whoever runs the site does not allow",
    "datasets/webhooks/places.py",
    kept_by="    if not there.is_allowed:\n",
    broken="    if False:\n",
)
@pytest.mark.parametrize("allowed_now", [[], ["another.example"], [".localhost.example"]])
def test_a_host_that_is_not_allowed_any_more_gets_nothing(receiver, settings, allowed_now):
    assert posting.post(receiver.url, {}, "{}").status == 204
    settings.WEBHOOKS = allowed_now
    assert posting.post(receiver.url, {}, "{}").fault == Fault.NOT_ALLOWED
    assert len(receiver.got) == 1


@pytest.mark.parametrize(
    "url",
    [
        *("", "hooks", "ftp://localhost/", "https://", "https:///x", "https://user:pw@localhost/"),
        *(
            "https://local host/",
            "https://localhost/\r\nx: y",
            "https://localhost:0/",
            "https://localhost:x/",
        ),
        *("https://a..b/", "https://localhost/ä", "https://[::1", "https://x\\@localhost/", "x" * 501),
    ],
)
def test_what_is_no_address_is_refused(allowed, url):
    with pytest.raises(WebhookRefused):
        places.allowed_place(url)


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://hooks.example.org/", "webhook-not-https"),
        ("http://10.0.0.1/", "webhook-not-https"),
        ("https://hooks.example.org/", "webhook-host-not-allowed"),
        ("https://localhost.example.org/", "webhook-host-not-allowed"),
    ],
)
def test_which_addresses_an_owner_may_write(allowed, url, code):
    with pytest.raises(WebhookRefused) as refused:
        places.allowed_place(url)
    assert refused.value.code == code


def test_an_international_name_is_sent_as_it_is_looked_up(any_host):
    there = places.allowed_place("https://Häken.example.org:8443/a?b=c")
    assert there == places.Place(True, "xn--hken-loa.example.org", 8443, "/a?b=c")


def test_without_tls_only_this_machine(any_host, named, settings):
    settings.WEBHOOK_NETWORKS = [ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("127.0.0.0/8")]
    named(["10.0.0.1"])
    with pytest.raises(places.Unreachable):
        places.look_up(places.place("http://localhost/"))


@mutant(
    "a certificate that cannot be verified ends the delivery",
    "datasets/webhooks/posting.py",
    kept_by="ssl.create_default_context()",
    broken="ssl._create_unverified_context()",
)
def test_the_certificate_is_verified_for_the_name(allowed, tmp_path, monkeypatch):
    with receiving(tmp_path) as trusted, receiving(tmp_path, "another.example") as of_another_name:
        assert posting.post(trusted.url, {}, "{}").fault == Fault.NO_TRUST
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "localhost.pem"))
        assert posting.post(trusted.url, {}, "{}").status == 204
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "another.example.pem"))
        assert posting.post(of_another_name.url, {}, "{}").fault == Fault.NO_TRUST
        assert (len(trusted.got), len(of_another_name.got)) == (1, 0)


def test_a_redirect_is_not_followed(receiver):
    receiver.answers = [(302, {"Location": receiver.url + "&again"}, "moved")]
    assert posting.post(receiver.url, {}, "{}").status == 302
    assert len(receiver.got) == 1


def test_of_the_answer_only_the_first_line_is_read(receiver):
    receiver.answers = [(500, {}, "it\0 broke\nsecret\n" + "x" * 2_000_000)]
    answer = posting.post(receiver.url, {}, "{}")
    assert (answer.status, answer.first_line) == (500, "it broke")


@mutant(
    "a server that answers a byte now and then holds no worker",
    "datasets/webhooks/posting.py",
    kept_by="    alarm.start()\n",
    broken="",
)
def test_an_answer_that_never_ends_is_given_up(allowed, monkeypatch):
    monkeypatch.setattr(posting, "SECONDS", 0.5)
    listening = socket.create_server(("127.0.0.1", 0))
    is_over = threading.Event()

    def drip():
        accepted, _ = listening.accept()
        with accepted, suppress(OSError):
            accepted.sendall(b"HTTP/1.1 200 OK\r\nX: ")
            for _ in range(100):
                if is_over.wait(0.1):
                    break
                accepted.sendall(b"y")

    thread = threading.Thread(target=drip)
    thread.start()
    began = time.monotonic()
    answer = posting.post(f"http://localhost:{listening.getsockname()[1]}/", {}, "{}")
    is_over.set()
    thread.join()
    listening.close()
    assert answer.fault == Fault.TOO_LATE and time.monotonic() - began < 5


def test_nobody_answers_and_nonsense_is_answered(allowed):
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]

    def nonsense():
        accepted, _ = listening.accept()
        with accepted:
            accepted.recv(65_536)
            accepted.sendall(b"SSH-2.0-hello\r\n\r\n")

    thread = threading.Thread(target=nonsense)
    thread.start()
    assert posting.post(f"http://localhost:{port}/", {}, "{}").fault == Fault.NO_HTTP
    thread.join()
    listening.close()
    assert posting.post(f"http://localhost:{port}/", {}, "{}").fault == Fault.NO_CONNECTION
