"""The headers of every response: at all addresses, for all visitors; of errors, sounds and static files."""

import re
import runpy
from datetime import timedelta

import httpx
import pytest
from django.conf import settings as site_settings
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from django.urls import get_resolver
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from accounts.models import ProgramToken
from tagger import settings as read
from tests.support import every_page
from tests.support.mutants import mutant
from tests.support.people import PASSWORD

# What is the same for everyone, and says so.
PUBLIC = {
    "/robots.txt",
    "/manifest.webmanifest",
    "/offline/en/",
    "/.well-known/security.txt",
    "/api/v1/schema/",
    "/receipts/key/",
    "/api/v1/recalls/spring.json",
}
ALWAYS = {
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


def wrong(response):
    """The headers that are missing or wrong, for any response of the site."""
    found = {name for name, value in ALWAYS.items() if response.headers.get(name) != value}
    if response.headers.get("Referrer-Policy") not in ("same-origin", "no-referrer"):
        found.add("Referrer-Policy")
    if "camera=()" not in response.headers.get("Permissions-Policy", ""):
        found.add("Permissions-Policy")
    return found


def wrong_of_page(response):
    """The same of what Django answers, which also has a policy of what is loaded."""
    policy = response.headers.get("Content-Security-Policy", "")
    return wrong(response) | ({"Content-Security-Policy"} if "base-uri 'none'" not in policy else set())


def is_kept(response):
    return "no-store" not in response.headers.get("Cache-Control", "")


@pytest.fixture
def everywhere(db, is_thorough):
    """What a stranger and each third visitor by turns, with --thorough everybody, is answered at each address
    of the site: (visitor, address, response)."""

    def ask():
        things = every_page.one_of_each()
        addresses = sorted({every_page.filled(route, things) for route in every_page.routes(get_resolver())})
        for place, (who, client) in enumerate(every_page.everybody().items()):
            client.raise_request_exception = False
            for number, address in enumerate(addresses):
                if is_thorough or who == "stranger" or (number + place) % 3 == 0:
                    yield who, address, client.get(address)

    return ask


@mutant(
    "no other site can embed anything of this one",
    "tagger/headers.py",
    kept_by='        response["Cross-Origin-Resource-Policy"] = "same-origin"\n',
    broken="",
)
@mutant(
    "what is shown to a person is stored nowhere",
    "tagger/headers.py",
    kept_by="        settings.SESSION_COOKIE_NAME in request.COOKIES\n",
    broken="        False\n",
)
@mutant(
    "only the page of the recorder may ask for the microphone",
    "tagger/headers.py",
    kept_by='    "microphone": ("record_campaign", "speak_freely"),\n',
    broken='    "microphone": ("",),\n',
)
@mutant(
    "after logging in, an address for a form leads to its page",
    "accounts/posting.py",
    kept_by='            if request.method in ("GET", "HEAD"):\n',
    broken="            if False:\n",
)
@pytest.mark.django_db
def test_every_address_answers_everybody_with_all_headers(everywhere):
    missing, kept, heard, refused = {}, set(), set(), set()
    for who, address, response in everywhere():
        assert response.status_code < 500, address
        if found := wrong_of_page(response):
            missing[who, address] = found
        if is_kept(response) and who != "stranger":
            kept.add(address)
        if response.status_code == 405:
            refused.add(address.split("/")[1])
        if "microphone=(self)" in response["Permissions-Policy"]:
            heard.add(address)
    assert missing == {}
    assert kept == PUBLIC - {"/.well-known/security.txt"}  # which is not there without an address
    assert heard == {"/record/sentences/", "/record/sentences/freely/"}
    # Where only forms lead, a browser that comes by itself, as after logging in, is led to the form.
    assert refused <= {"api", "v1"}


@pytest.fixture
def visitor(db, client):
    client.raise_request_exception = False
    return client


def refused(visitor, bea, settings):
    """One response for each way of being refused: {status: response}."""
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(bea)
    settings.ACCOUNT_RATE_LIMITS = {"signup": "1/m/ip"}
    answers = [
        visitor.get("/", headers={"Host": "elsewhere"}),
        visitor.post("/api/v1/assignments/1/annotation/", data="{", content_type="application/json"),
        strict.post("/profile/tokens/"),
        visitor.get("/nothing-here/"),
        visitor.get("/language/"),
        visitor.get("/v1/device/activate"),
        visitor.post("/receipts/", {"receipt": "x" * 500_000}),
        visitor.get("/api/v1/campaigns/"),
        *(visitor.post("/accounts/signup/", {}) for _ in range(2)),
    ]
    settings.STORAGES = settings.STORAGES | {"staticfiles": {"BACKEND": "tagger.static.HashedModules"}}
    return {answer.status_code: answer for answer in [*answers, visitor.get("/")]}


def test_errors_have_all_headers_too(visitor, bea, settings):
    answers = refused(visitor, bea, settings)
    assert {400, 401, 403, 404, 405, 413, 429, 500} <= set(answers)
    assert {
        status: wrong_of_page(answer) for status, answer in answers.items() if wrong_of_page(answer)
    } == {}


def test_the_api_is_stored_nowhere_whoever_calls_it(client, bea, juniper):
    token = ProgramToken.objects.create(bea)[1]
    for name in (token, "of no one"):
        answer = client.get("/api/v1/campaigns/", headers={"Authorization": f"Token {name}"})
        assert not is_kept(answer)


@mutant(
    "a page that repeats what somebody typed is stored nowhere",
    "tagger/headers.py",
    kept_by="        or request.method not in _SAFE\n",
    broken="",
)
def test_what_a_stranger_typed_is_stored_nowhere_either(client, db):
    assert not is_kept(client.post("/receipts/", {"receipt": "my receipt"}))
    assert is_kept(client.get("/receipts/"))  # the back button need not ask for this


def test_logging_in_is_stored_nowhere(client, bea):
    bea.set_password(PASSWORD)
    bea.save()
    answer = client.post("/accounts/login/", {"login": "bea", "password": PASSWORD})
    assert answer.status_code == 302 and not is_kept(answer)


# --- static files and sounds --------------------------------------------------------------------


def test_static_files_and_sounds_have_the_headers_and_are_kept(site):
    page = httpx.get(f"{site.url}/").text
    style = re.search(r'href="(/static/css/site\.\w+\.css)"', page)[1]
    for address in (style, "/static/sounds/wake-word.wav", "/static/downloads/clean_copy.py"):
        answer = httpx.get(site.url + address)
        assert answer.status_code == 200 and wrong(answer) == set()
        assert "public" in answer.headers["Cache-Control"]
    partly = httpx.get(f"{site.url}/static/sounds/wake-word.wav", headers={"Range": "bytes=0-9"})
    assert partly.status_code == 206 and wrong(partly) == set()


# --- cookies ------------------------------------------------------------------------------------


def https(settings):
    """The settings of cookies on a site with HTTPS."""
    settings.COOKIE_PREFIX = "__Host-"
    settings.SESSION_COOKIE_NAME = "__Host-sessionid"
    settings.CSRF_COOKIE_NAME = "__Host-csrftoken"
    settings.LANGUAGE_COOKIE_NAME = "__Host-django_language"
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = settings.LANGUAGE_COOKIE_SECURE = True


@pytest.mark.parametrize(("is_https", "prefix"), [("1", "__Host-"), ("0", "")])
def test_cookies_have_the_prefix_where_there_is_https(is_https, prefix, tmp_path):
    found = settings_with(HTTPS=is_https)
    names = [found[f"{which}_COOKIE_NAME"] for which in ("SESSION", "CSRF", "LANGUAGE")]
    assert [*names, found["COOKIE_PREFIX"]] == [
        *(prefix + name for name in ("sessionid", "csrftoken", "django_language")),
        prefix,
    ]


@mutant(
    "over HTTPS no neighbouring host can set a cookie",
    "tagger/cookies.py",
    kept_by='        return f"{settings.COOKIE_PREFIX}messages"\n',
    broken='        return "messages"\n',
)
def test_all_cookies_of_a_site_with_https_are_for_this_host_alone(client, bea, settings):
    https(settings)
    bea.set_password(PASSWORD)
    bea.save()
    client.get("/accounts/login/", secure=True)
    client.post("/accounts/login/", {"login": "bea", "password": PASSWORD}, secure=True)
    client.post("/language/", {"language": "es"}, secure=True)
    client.post("/my-clips/keep/", secure=True)  # it leaves a message
    assert set(client.cookies) == {
        f"__Host-{name}"
        for name in ("sessionid", "csrftoken", "django_language", "messages", "known_browser")
    }
    for cookie in client.cookies.values():
        assert cookie["secure"] and (cookie["path"], cookie["domain"]) == ("/", "")


def test_a_session_from_before_the_prefix_is_over_and_its_cookie_goes(client, bea, settings):
    client.force_login(bea)
    https(settings)
    answer = client.get("/profile/", secure=True)
    assert answer.status_code == 302
    assert answer.cookies["sessionid"]["max-age"] == 0


# --- the two files ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "uri"),
    [
        ("help@example.org", "mailto:help@example.org"),
        ("https://example.org/security", "https://example.org/security"),
        ("tel:+1-201-555-0123", "tel:+1-201-555-0123"),
        ("The people who run this", ""),
        ("http://example.org/", ""),
        ("help@example.org\nContact: mailto:someone@else.example", ""),
    ],
)
def test_a_contact_is_an_address_or_nothing(written, uri):
    assert read.contact_uri(written) == uri


def test_a_security_contact_that_is_no_address_stops_the_start():
    assert settings_with(CONTACT="us@example.org")["SECURITY_CONTACT"] == "mailto:us@example.org"
    with pytest.raises(ImproperlyConfigured, match="SECURITY_CONTACT"):
        settings_with(SECURITY_CONTACT="the people who run it")


def test_security_txt_says_whom_to_tell_and_never_runs_out(client, settings):
    settings.SECURITY_CONTACT = "mailto:help@example.org"
    answer = client.get("/.well-known/security.txt")
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    fields = dict(line.split(": ", 1) for line in answer.content.decode().splitlines())
    assert fields["Contact"] == "mailto:help@example.org"
    assert fields["Canonical"] == f"{site_settings.SITE_URL}/.well-known/security.txt"
    ends = parse_datetime(fields["Expires"])
    assert timezone.now() + timedelta(80) < ends < timezone.now() + timedelta(364)
    settings.SECURITY_CONTACT = ""
    assert client.get("/.well-known/security.txt").status_code == 404


def test_robots_are_kept_from_everything_that_is_personal(client):
    rules = client.get("/robots.txt").content.decode().splitlines()
    assert rules[0] == "User-agent: *" and rules[-1] == "Disallow: /"
    assert not [line for line in rules if line.startswith("Allow: /receipts/") and "$" not in line]


def settings_with(**environment):
    """All settings of a process with this environment."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        return runpy.run_path(read.__file__, run_name="tagger.settings")
