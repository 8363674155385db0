"""The installable app: its manifest, and the page for no network, which is the same for everyone."""

import re
import struct
from pathlib import Path

import pytest

from tests.support.mutants import mutant

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def plain_static(settings):
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": plain}


def size_of(picture):
    """(width, height) of a PNG."""
    head = picture.read_bytes()[:24]
    assert head.startswith(b"\x89PNG")
    return struct.unpack(">II", head[16:])


def test_the_manifest_names_pictures_of_the_sizes_it_says(client):
    answer = client.get("/manifest.webmanifest")
    assert answer["Content-Type"] == "application/manifest+json"
    manifest = answer.json()
    assert (manifest["start_url"], manifest["scope"], manifest["display"]) == ("/", "/", "standalone")
    found = {(each["purpose"], each["sizes"]) for each in manifest["icons"]}
    assert found == {(purpose, size) for purpose in ("any", "maskable") for size in ("192x192", "512x512")}
    for icon in manifest["icons"]:
        assert "{}x{}".format(*size_of(ROOT / icon["src"].lstrip("/"))) == icon["sizes"]


def paper(sheet):
    return re.search(r"--paper: (#\w{6});", (ROOT / f"static/css/{sheet}.css").read_text())[1]


def test_the_colours_around_the_app_are_those_of_the_themes(client, db):
    light, dark = paper("tokens"), paper("dark")
    assert client.get("/manifest.webmanifest").json()["background_color"] == light
    pages = {}
    for theme in ("", "light", "dark"):
        client.cookies["theme"] = theme
        pages[theme] = re.findall(
            r'<meta name="theme-color" content="(#\w+)"', client.get("/").content.decode()
        )
    assert pages == {"": [light, dark], "light": [light], "dark": [dark]}


def test_the_page_for_no_network_is_the_same_for_everyone(client, bea):
    stranger = client.get("/offline/en/")
    client.force_login(bea)
    answer = client.get("/offline/en/")
    nonces = re.compile(r'data-nonce="[^"]+"')
    assert nonces.sub("", answer.content.decode()) == nonces.sub("", stranger.content.decode())
    assert str(bea.pk) not in re.findall(r'data-account="(\d+)"', answer.content.decode())
    assert "Vary" not in answer or "Cookie" not in answer["Vary"]


def test_there_is_one_in_each_language_and_no_other(client):
    assert '<html lang="es" dir="ltr">' in client.get("/offline/es/").content.decode()
    assert client.get("/offline/fi/").status_code == 404


def test_without_hashed_names_there_is_no_worker(client):
    assert client.get("/worker.js").status_code == 404


@mutant(
    "what was sealed during a log-in cannot be opened after logging out",
    "accounts/browser_data.py",
    kept_by="        rotate_token(request)\n",
    broken="",
)
def test_logging_out_replaces_the_secret_that_sounds_are_sealed_with(client, bea):
    client.force_login(bea)
    client.get("/accounts/logout/")
    before = client.cookies["csrftoken"].value
    client.post("/accounts/logout/")
    assert client.cookies["csrftoken"].value != before
