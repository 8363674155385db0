"""Before what cannot be taken back, an open session is asked who sits at it; and nothing chosen is lost."""

import base64
import json
from time import time

import pytest
from django.test import Client
from django.urls import reverse

from accounts import reauthentication
from accounts.models import AuditEvent, PersonalSession, ProgramToken, Role, User
from datasets.models import Withdrawal
from tests.releases.test_release_api import TAR
from tests.support.asked import given_to
from tests.support.factors import give_factor, record
from tests.support.mutants import mutant
from tests.support.people import PASSWORD, many_log_ins
from tests.support.released import release, settle

ASKS = "/accounts/reauthenticate/"
LOG_IN = "/accounts/login/"


@pytest.fixture
def mia(db, settings, tmp_path):
    many_log_ins(settings, tmp_path)
    return User.objects.create_user("mia", password=PASSWORD, email="mia@example.org")


@pytest.fixture
def here(mia):
    """Mia's browser, some hours after she logged in."""
    client = Client()
    client.post(LOG_IN, {"login": "mia", "password": PASSWORD})
    set_back(client)
    return client


def set_back(client, seconds=3600):
    session = client.session
    session[reauthentication.LOGGED_IN_AT] = time() - seconds
    session.save()
    person = User.objects.get(pk=session["_auth_user_id"])
    record(client, person, person.authenticator_set.first(), at=time() - seconds)


def confirm(client, asked, password=PASSWORD):
    """Answer the question to which this response leads; returns the response."""
    assert asked.status_code == 302 and asked["Location"].startswith(ASKS), asked
    page = client.get(asked["Location"])
    assert page.status_code == 200 and 'name="login"' not in page.content.decode()
    return client.post(
        asked["Location"], {"password": password, "next": page.context["redirect_field_value"]}
    )


GUARDED = [
    ("post", "leave", {"answers": "keep"}, "/leave/"),
    ("post", "delete_all_clips", {}, "/my-clips/delete-all/"),
    ("post", "make_token", {}, "/profile/"),
    ("post", "email", {"address": "new@example.org"}, "/profile/email/"),
    ("get", "my_data", {}, "/profile/"),
]


@mutant(
    "an open session alone cannot leave, delete or take anything along",
    "accounts/reauthentication.py",
    kept_by='    if is_reauthentication_required(request, app=""):\n        raise',
    broken="    if False:\n        raise",
)
@pytest.mark.parametrize(("method", "name", "sent", "page"), GUARDED, ids=[each[1] for each in GUARDED])
def test_what_cannot_be_taken_back_asks_first_and_leads_to_the_page_with_the_form(
    here, mia, method, name, sent, page
):
    asked = getattr(here, method)(reverse(name), sent)
    back = confirm(here, asked)
    assert (back.status_code, back["Location"]) == (302, page)
    landed = here.get(page)
    assert landed.status_code == 200 and "Nothing has been done yet" in landed.content.decode()
    assert "Nothing has been done yet" not in here.get(page).content.decode()
    assert not Withdrawal.objects.exists() and not ProgramToken.objects.exists()
    assert User.objects.get(pk=mia.pk).address == "mia@example.org" and not AuditEvent.objects.exists()
    assert ASKS not in getattr(here, method)(reverse(name), sent).get("Location", "")


@pytest.mark.parametrize(("method", "name", "sent", "page"), GUARDED, ids=[each[1] for each in GUARDED])
def test_who_has_just_logged_in_is_not_asked(here, method, name, sent, page):
    set_back(here, seconds=60)
    assert ASKS not in getattr(here, method)(reverse(name), sent).get("Location", "")


def test_who_has_just_signed_up_is_not_asked(db, client):
    client.post("/accounts/signup/", {"username": "nina", "password1": PASSWORD})
    assert client.post("/profile/tokens/").status_code == 200


def test_what_was_chosen_is_there_again(here):
    confirm(here, here.post("/leave/", {"answers": "remove"}))
    page = here.get("/leave/").content.decode()
    assert 'value="remove" id="id_answers_1" required checked' in " ".join(page.split())
    set_back(here)
    confirm(here, here.post("/profile/tokens/", {"scopes": ["import"], "days": "30"}))
    page = here.get("/profile/").content.decode()
    assert page.count(" checked") == 1 and 'value="import" id="id_scopes_1" checked' in page
    assert '<option value="30" selected>' in page
    set_back(here)
    confirm(here, here.post("/profile/email/", {"address": "new@example.org"}))
    assert 'value="new@example.org"' in here.get("/profile/email/").content.decode()


@mutant(
    "what waits for a confirmation is stored sealed",
    "accounts/reauthentication.py",
    kept_by="    sealed = keys.seal(_key(request), fields, _label(request))",
    broken="    sealed = fields",
)
def test_what_was_sent_is_stored_sealed_and_nothing_of_the_browser_is(here):
    sent = {"address": "new@example.org", "old_password": "never this"}
    here.post("/profile/email/", sent, headers={"user-agent": "a browser of hers"}, REMOTE_ADDR="192.0.2.7")
    stored = json.dumps(here.session[reauthentication.KEPT_FORM])
    opened = stored + str(base64.b64decode(here.session[reauthentication.KEPT_FORM]["sealed"]))
    everything = str(dict(here.session)) + opened
    for never in ("new@", "new%40", "never this", "a browser", "192.0.2.7", "mia"):
        assert never not in everything


def test_whoever_comes_back_without_confirming_finds_nothing_chosen(here):
    here.post("/leave/", {"answers": "remove"})
    page = here.get("/leave/").content.decode()
    assert " checked" not in page and "Nothing has been done yet" not in page


@mutant(
    "a wrong password confirms nothing",
    "accounts/adapter.py",
    kept_by="is_right = user.is_active and check_password(password, user.password)",
    broken="is_right = user.is_active",
)
def test_a_wrong_password_confirms_nothing(here):
    asked = here.post("/leave/", {"answers": "keep"})
    assert confirm(here, asked, "a wrong pass phrase").status_code == 200
    assert here.post("/leave/", {"answers": "keep"})["Location"].startswith(ASKS)


@mutant(
    "passwords cannot be tried without end at an open session",
    "accounts/adapter.py",
    kept_by="            counted = password_tries.count_confirmation(user, timezone.now())",
    broken="            counted = limits.count(timezone.now())",
)
def test_only_ten_passwords_are_tried_in_a_quarter_of_an_hour(here, clock):
    asked = here.post("/leave/", {"answers": "keep"})
    wrong = [confirm(here, asked, "a wrong pass phrase").status_code for _ in range(11)]
    assert wrong == [200] * 10 + [429]
    assert "Too many wrong passwords. Try again in 15 minutes." in confirm(here, asked).content.decode()
    assert here.post("/leave/", {"answers": "keep"})["Location"].startswith(ASKS)


def test_confirming_ends_no_session_when_hashes_have_become_stronger(here, mia, settings):
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.ScryptPasswordHasher",
        *settings.PASSWORD_HASHERS,
    ]
    confirm(here, here.post("/leave/", {"answers": "keep"}))
    assert here.get("/leave/").status_code == 200


def test_a_script_is_told_where_to_confirm(here):
    answer = here.post("/leave/", {"answers": "keep"}, headers={"accept": "application/json"})
    assert answer.status_code == 403 and answer.json()["location"] == f"{ASKS}?next=%2Fleave%2F"


@pytest.mark.parametrize("name", ["withdraw_consent", "end_other_sessions", "delete_ticked_clips"])
def test_taking_back_is_never_asked(here, name):
    assert ASKS not in here.post(reverse(name)).get("Location", "")


def test_revoking_a_token_is_never_asked(here, mia):
    token, _text = ProgramToken.objects.create(mia)
    assert here.post(reverse("revoke_token", args=[token.digest]))["Location"] == "/profile/"


def test_without_a_password_there_is_nothing_to_ask(here, mia):
    mia.set_unusable_password()
    mia.save()
    here.force_login(mia)
    set_back(here)
    assert here.post("/profile/tokens/").status_code == 200


def test_the_question_leads_only_to_pages_of_this_site(here):
    answer = here.post(ASKS, {"password": PASSWORD, "next": "https://elsewhere.example/"})
    assert answer["Location"].startswith("/")


# --- exports ------------------------------------------------------------------------------------


@pytest.fixture
def spring(share, juniper, mia):
    """A release, and Mia may download it."""
    mia.roles = list(Role)
    mia.save()
    give_factor(mia)
    settle(share(juniper))
    return given_to(mia, release("spring", juniper))


@mutant(
    "an open session alone cannot export a release for researchers",
    "datasets/releases/api.py",
    kept_by="        self.confirm(request, release)\n        try:",
    broken="        try:",
)
def test_an_export_from_the_page_asks_and_leads_back_to_the_list(here, mia, spring):
    for address in (TAR, TAR.rpartition("/")[0] + "/manifest.jsonl"):
        set_back(here)
        back = confirm(here, here.get(address, headers={"accept": "text/html"}))
        assert back["Location"] == "/releases/"
        assert "Nothing has been done yet" in here.get("/releases/").content.decode()
        assert here.get(address).status_code == 200


def test_a_download_that_began_is_resumed_without_a_question(here, spring):
    set_back(here, seconds=60)
    b"".join(here.get(TAR).streaming_content)
    set_back(here)
    assert here.get(TAR, headers={"range": "bytes=512-"}).status_code == 206
    assert here.get(TAR).status_code == 403


def test_a_program_with_its_token_is_never_asked(mia, spring):
    _row, token = ProgramToken.objects.create(mia)
    assert Client(headers={"authorization": f"Token {token}"}).get(TAR).status_code == 200
    assert not PersonalSession.objects.exists()
