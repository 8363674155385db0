"""What strangers send: nothing too large or unwanted is read, and no nonsense breaks a page or a call."""

import re

import pytest
from django.core.signals import got_request_exception

from accounts.models import Role, User
from datasets.clips import vault
from tagger import bodies
from tagger.welcome import pledge
from tests.support import every_page, nonsense
from tests.support.factors import give_factor
from tests.support.mutants import mutant

LARGE = 300_000_000


@pytest.fixture
def things(db):
    vault.establish()
    return every_page.one_of_each()


@pytest.fixture
def everywhere(things):
    return nonsense.addresses(things)


@pytest.fixture
def ada(things):
    """Whoever may do everything, so that no role keeps the nonsense from a view."""
    return give_factor(User.objects.create_superuser("ada", roles=list(Role), pledge=pledge.VERSION))


@pytest.fixture
def broken():
    """What ended as an error of ours: the address and the exception."""
    found = []

    def remember(sender, request, **others):
        found.append(request.path)

    got_request_exception.connect(remember)
    yield found
    got_request_exception.disconnect(remember)


def with_length(client, method, address, length, **headers):
    """The response to a body of this length, and whether any of it was read."""
    spy = nonsense.Spy()
    body = {"wsgi.input": spy, "CONTENT_LENGTH": str(length), "CONTENT_TYPE": nonsense.MULTIPART}
    response = client.generic(method, address, **body | headers)
    return response, spy.reads > 0


@mutant(
    "a body that is too large is refused before it is read",
    "tagger/settings.py",
    kept_by='    "tagger.bodies.RefuseUnreadable",\n',
    broken="",
)
def test_no_byte_of_a_body_that_is_too_large_is_read_anywhere(everywhere, ada):
    large = {"stranger": nonsense.visitor(enforce_csrf_checks=True), "ada": nonsense.visitor(ada)}
    for client in large.values():
        for address in everywhere:
            response, was_read = with_length(client, "POST", address, LARGE)
            assert not was_read, address
            if bodies.limit_of(address) not in bodies.DOORS.values():
                assert response.status_code == 413, address


@mutant(
    "a new page takes small bodies only",
    "tagger/bodies.py",
    kept_by="    return _limit_of_door(address) or settings.DATA_UPLOAD_MAX_MEMORY_SIZE\n",
    broken="    return _limit_of_door(address) or 10**9\n",
)
def test_a_page_that_no_one_thought_of_takes_small_bodies_only(db):
    client = nonsense.visitor()
    assert with_length(client, "POST", "/a-new-page/", 500_001)[0].status_code == 413
    assert with_length(client, "POST", "/a-new-page/", 500_000)[0].status_code == 404


def test_every_door_with_its_own_limit_is_an_address_of_the_site(everywhere):
    for door in bodies.DOORS:
        assert any(re.fullmatch(door, address) for address in everywhere), door


@mutant(
    "an upload of someone who may not upload is refused unread",
    "datasets/clips/views.py",
    kept_by="@csrf_exempt  # checking the token reads",
    broken="# checking the token reads",
)
def test_no_upload_is_read_of_someone_who_may_not_upload(things):
    doors = [f"/v1/device/{things['/v1/device/']['uuid']}/{kind}-file" for kind in ("wake-word", "utterance")]
    for address in (*doors, "/record/juniper/"):
        response, was_read = with_length(
            nonsense.visitor(enforce_csrf_checks=True), "POST", address, 1_900_000
        )
        assert (response.status_code in (302, 401), was_read) == (True, False), address


def test_a_body_of_unknown_length_is_refused_unread(everywhere):
    client, chunked = nonsense.visitor(), {"HTTP_TRANSFER_ENCODING": "chunked"}
    for address in everywhere:
        response, was_read = with_length(client, "POST", address, "", **chunked)
        assert (response.status_code, was_read) == (411, False), address


@mutant(
    "no upload touches a disk",
    "tagger/settings.py",
    kept_by='FILE_UPLOAD_HANDLERS = ["datasets.clips.in_memory.InMemory"]\n',
    broken="",
)
def test_no_upload_is_written_to_a_temporary_file_at_any_address(everywhere, ada, settings, tmp_path, broken):
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 10  # Django would write larger files to a temporary file …
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "none"  # … and fail here
    client = nonsense.visitor(ada)
    for method, address in nonsense.doors(client, everywhere):
        nonsense.sent(client, method, address, nonsense.PART, nonsense.MULTIPART)
    assert broken == []
    assert client.get("/profile/").status_code == 200  # she was there all the time


@pytest.mark.parametrize(("address", "form"), [("/tag/", "text/html"), ("/api/v1/x/", "application/json")])
def test_a_refusal_says_what_is_wrong_in_the_form_of_its_address(db, address, form):
    response, _ = with_length(nonsense.visitor(), "POST", address, LARGE)
    assert response["Content-Type"].startswith(form)
    assert "larger than this address accepts" in response.content.decode()


def test_a_device_reads_its_refusals_in_plain_text_or_of_an_upload_in_json(things):
    device = f"/v1/device/{things['/v1/device/']['uuid']}"
    headers = nonsense.HEADERS["a length that is no number"]
    plain = nonsense.visitor().generic("PATCH", device, b"{}", **headers)
    assert (plain.status_code, plain["Content-Type"]) == (400, "text/plain; charset=utf-8")
    upload = nonsense.visitor().generic("POST", f"{device}/wake-word-file", b"x", **headers)
    assert (upload.status_code, upload.json()) == (400, {"detail": str(bodies.BAD_LENGTH)})


# --- nonsense -----------------------------------------------------------------------------------


def by_turns(addresses, number, parts):
    """One part of the addresses, by their order; another part for the next number."""
    return addresses[number % parts :: parts]


@mutant(
    "a character set that this site does not read is refused",
    "tagger/bodies.py",
    kept_by='        return codecs.lookup(charset).name == "utf-8"\n',
    broken="        return bool(codecs.lookup(charset))\n",
)
def test_headers_that_no_one_can_read_are_refused_at_every_address(everywhere, broken, is_thorough):
    """Before any view: so each address gets two kinds by turns, and with --thorough all."""
    client = nonsense.visitor()
    for number, (name, headers) in enumerate(nonsense.HEADERS.items()):
        for address in everywhere if is_thorough else by_turns(everywhere, number, 4):
            response = client.generic("POST", address, b"x", **headers)
            assert (response.status_code, broken) == (400, []), (name, address)
        assert len(client.generic("GET", "/", **headers).content) > 20


@mutant(
    "a form that cannot be taken apart is answered with what is wrong",
    "tagger/urls.py",
    kept_by='handler400 = "tagger.refused_requests.bad_request"\n',
    broken="",
)
def test_a_form_that_cannot_be_taken_apart_is_refused_at_every_page(everywhere, ada, broken, is_thorough):
    """Before any view, too: each page gets two kinds by turns, and with --thorough all."""
    client = nonsense.visitor(ada, enforce_csrf_checks=True)
    client.get("/profile/")  # sets the cookie, without which no form is read
    pages = [address for address in everywhere if not address.startswith(("/api/", "/v1/"))]
    for number, (name, (content_type, body)) in enumerate(nonsense.BAD_FORMS.items()):
        some = pages if is_thorough else {"/profile/", *by_turns(pages, number, 3)}
        responses = {page: nonsense.sent(client, "POST", page, body, content_type) for page in some}
        statuses = {page: response.status_code for page, response in responses.items()}
        accepted = {page: status for page, status in statuses.items() if status < 400 or status >= 500}
        assert (broken, accepted) == ([], {}), name
        assert statuses["/profile/"] == 400, name
        assert "What was sent" in responses["/profile/"].content.decode(), name


@mutant(
    "half a surrogate pair in JSON is no error of the site",
    "accounts/strict_json.py",
    kept_by='        if "\\\\u" in text and not _is_text(value):',
    broken="        if False:",
)
@mutant(
    "nested JSON is answered with 400",
    "accounts/strict_json.py",
    kept_by="    except RecursionError:\n        raise BadJson(JsonFault.TOO_DEEP) from None\n",
    broken="",
)
def test_bad_json_is_refused_by_every_call_that_takes_json(everywhere, ada, broken):
    client = nonsense.visitor(ada)
    calls = [address for address in everywhere if address.startswith("/api/")]
    for method, address in list(nonsense.doors(client, calls)):
        for name, body in nonsense.BAD_JSON.items():
            response = nonsense.sent(client, method, address, body, "application/json")
            assert broken == [], (name, address)
            if address.endswith(TAKE_BYTES):
                assert response.status_code == 415, (name, address)
            elif not address.endswith(TAKE_NO_BODY):
                assert response.status_code == 400 and response.json()["detail"], (name, address)


# Nothing is asked for here, so nothing is read.
TAKE_NO_BODY = ("/skip/", "/checks/next/", "/renew/", "/cancel/", "/undo/", "/test/", "/end/")
# Bytes of files, which are no JSON: a call that says so is refused as another kind of body.
TAKE_BYTES = "/parts/"


def test_every_device_call_refuses_bad_json(db):
    for name, body in nonsense.BAD_JSON.items():
        response = nonsense.visitor().generic("POST", "/v1/device/activate", body, "application/json")
        assert (name, response.status_code) == (name, 413 if len(body) > 10_000 else 400)
        assert len(response.content) > 10


def test_odd_values_break_nothing_anywhere(everywhere, ada, broken, is_thorough):
    """By turns calls get half of what is in JSON and pages half of what is in forms, and each gets one of the
    others; with --thorough all."""
    client = nonsense.visitor(ada)
    few = dict(list(nonsense.ODD_VALUES.items())[:3])  # for the admin's many forms, which are Django's
    for number, (method, address) in enumerate(list(nonsense.doors(client, everywhere))):
        some = nonsense.ODD_VALUES if is_thorough else nonsense.fitting(address, number)
        odd = few if address.startswith("/admin/") else some
        for name, (content_type, body) in odd.items():
            nonsense.sent(client, method, address, body, content_type)
            assert broken == [], (method, address, name)
    assert client.get("/profile/").status_code == 200  # she was there all the time
