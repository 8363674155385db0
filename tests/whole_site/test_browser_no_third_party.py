"""No page of this site contacts another host, by Chromium's net log. Planted leaks prove that it shows all.

A script in a page sees neither name lookups nor WebRTC, and in a private window Chromium leaves out
preconnect and dns-prefetch. So this reads the net log, and opens the pages in an ordinary profile.
"""

import json
import re
import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Error, sync_playwright

from tests.support import every_page
from tests.support.browser import FLAGS, MISSING, WHOLE, chromium
from tests.support.mutants import mutant
from tests.support.site import eventually

HERE = {"localhost", "127.0.0.1", "::1"}
NAMING = ("url", "host", "hostname", "qname", "destination", "logical_destination", "group_id")
ADDRESSES = ("address", "address_list", "remote_address")
# The local end of our own sockets is not an address that anything is sent to.
OUTWARD = re.compile(r"UDP_CONNECT|UDP_BYTES_SENT|TCP_CONNECT|TCP_CONNECT_ATTEMPT|SOCKET_CONNECT")

# The ways in which a page can contact a host; each uses a different host.
LEAKS = {
    "image": '<img src="http://image.invalid/i.png">',
    "loopback": '<img src="http://127.0.0.2:9/i.png">',
    "font": "<style>@font-face {font-family: f; src: url(http://font.invalid/f)} p {font-family: f}</style>",
    "style": '<link rel="stylesheet" href="http://style.invalid/s.css">',
    "script": '<script src="http://script.invalid/s.js" async></script>',
    "frame": '<iframe src="http://frame.invalid/"></iframe>',
    "media": '<audio src="http://media.invalid/a.wav" preload="auto"></audio>',
    "prefetch": '<link rel="prefetch" href="http://prefetch.invalid/">',
    "preconnect": '<link rel="preconnect" href="http://preconnect.invalid">',
    "dns": '<link rel="dns-prefetch" href="//dns.invalid">',
    "fetch": '<script>fetch("http://fetch.invalid/").catch(() => 0)</script>',
    "beacon": '<script>navigator.sendBeacon("http://beacon.invalid/", "x")</script>',
    "socket": '<script>new WebSocket("ws://socket.invalid/")</script>',
    "stun": '<script>call("stun:stun.invalid:3478")</script>',
    "stun by number": '<script>call("stun:127.0.0.3:STUN")</script>',
    "form": '<form action="http://form.invalid/" method="post"></form>',
}
CALL = """<script>function call(urls) {
    const caller = new RTCPeerConnection({iceServers: [{urls}]});
    caller.createDataChannel("any");
    caller.createOffer().then((offer) => caller.setLocalDescription(offer));
}</script>"""


# Chromium asks Google about every form that it shows, on any page.
BARE_FORM = (
    '<!doctype html><title>form</title><form method="post"><input name="a"><input type="password"></form>'
)


@contextmanager
def served(text):
    """The address of a local server with this one page."""

    class OnePage(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *message):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), OnePage)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def logged(log, profile):
    """A browser with an ordinary profile, whole; on exit the log contains everything that it sent."""
    if (path := chromium(WHOLE)) is None:
        pytest.skip(MISSING)
    arguments = [*FLAGS, f"--log-net-log={log}"]
    with sync_playwright() as playwright, served(BARE_FORM.encode()) as bare_form:
        launch = playwright.chromium.launch_persistent_context
        idle = launch(
            profile / "idle", executable_path=path, args=[*arguments[:-1], f"--log-net-log={log}.idle"]
        )
        driven = launch(profile / "driven", executable_path=path, args=arguments)
        try:
            for address in ("about:blank", bare_form):
                idle.new_page().goto(address)
            yield driven
        finally:
            driven.close()
            idle.close()


def contacted(log):
    """Every host in this net log that was looked up, connected to or sent to, except name servers."""
    found = json.loads(Path(log).read_text())
    names = {number: name for name, number in found["constants"]["logEventTypes"].items()}
    servers, hosts = set(), set()
    for event in found["events"]:
        parameters, kind = event.get("params", {}), names[event["type"]]
        if kind == "DNS_CONFIG_CHANGED":
            servers |= set(texts(parameters, ("nameservers",)))
        hosts |= set(filter(None, map(host_in, texts(parameters, NAMING))))
        if OUTWARD.match(kind):
            hosts |= {host_in(f"//{each}") for each in texts(parameters, ADDRESSES) if each not in servers}
    return hosts


def texts(parameters, keys):
    """The strings under these keys, at any depth."""
    for key, value in parameters.items():
        each = value if isinstance(value, list) else [value]
        yield from (text for text in each if isinstance(text, str) and key in keys)
        for inner in each:
            if isinstance(inner, dict):
                yield from texts(inner, keys)


def host_in(text):
    """The host in an address, a host:port pair or a name, in any of the forms that Chromium writes."""
    address = re.search(r"(?:^|[/ ])((?:https?|wss?|stuns?|turns?):)?//[^\s<>]+", text)
    if address is None and re.match(r"[a-z][a-z-]+:", text) and not re.search(r":\d+$", text):
        return None  # data:, blob:, about: and chrome: contact no host
    return (urlsplit(address[0].strip() if address else f"//{text}").hostname or "").rstrip(".")


def contacted_by_chromium_itself(log):
    """What Chromium contacts by itself: a second browser, started the same way, shows only a bare form."""
    return contacted(f"{log}.idle")


# --- every page ---------------------------------------------------------------------------------


def open_all(context, shown):
    page = context.new_page()
    for address in shown:
        try:
            page.goto(address, wait_until="load")
        except Error as problem:
            raise AssertionError(f"{address}: {problem}") from problem
    page.close()


@mutant(
    "no page contacts another host",
    "templates/base.html",
    kept_by='  <meta name="viewport" content="width=device-width, initial-scale=1">\n',
    broken='  <link rel="dns-prefetch" href="//fonts.invalid">\n',
)
def test_no_page_contacts_another_host(live_server, tmp_path):
    shown = every_page.shown_to_all()
    for each in shown:
        only = every_page.ONLY.get(each["visitor"], range(5))
        assert len(each["addresses"]) >= len(only), each["visitor"]
    log = tmp_path / "net.json"
    with logged(log, tmp_path) as context:
        for each in shown:
            context.clear_cookies()
            for name, value in each["cookies"].items():
                context.add_cookies([{"name": name, "value": value, "url": live_server.url}])
            open_all(context, [live_server.url + address for address in each["new"]])
    assert contacted(log) - contacted_by_chromium_itself(log) <= HERE


# --- the control --------------------------------------------------------------------------------


@pytest.fixture
def page_of_leaks():
    """The address of a page that leaks in every known way; a local socket receives its WebRTC."""
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.bind(("127.0.0.3", 0))
    leaks = "".join(LEAKS.values()).replace(":STUN", f":{receiver.getsockname()[1]}")
    text = f"<!doctype html><title>leaks</title>{CALL}<p>words</p>{leaks}".encode()

    with served(text) as address:
        yield address
    receiver.close()


def test_every_planted_leak_is_caught(page_of_leaks, tmp_path):
    log = tmp_path / "net.json"
    hosts = {way: re.search(r"[\w.]+\.invalid|127\.0\.0\.[23]", leak)[0] for way, leak in LEAKS.items()}
    with logged(log, tmp_path) as context:
        page = context.new_page()
        page.goto(page_of_leaks, wait_until="commit")
        eventually(lambda: all(host in log.read_text() for way, host in hosts.items() if way != "form"), 15)
        page.evaluate("document.forms[0].submit()")
        eventually(lambda: hosts["form"] in log.read_text(), 15)
    found = contacted(log) - contacted_by_chromium_itself(log)
    assert {way for way, host in hosts.items() if host not in found} == set()
