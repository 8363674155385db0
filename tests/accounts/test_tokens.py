"""A program's token: looked up first, also over a lost connection; for what it is, and until when."""

import html
import os
import re
import socket
from datetime import timedelta

import pytest
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.test import Client
from django.urls import URLPattern, get_resolver
from django.utils import timezone
from django.utils.formats import date_format

from accounts import prepared, tokens
from accounts.models import ProgramToken, Role, Scope, User
from accounts.tasks import clear_expired_sessions
from accounts.tokens import TokenAuthentication
from tagger.campaigns.api import Campaigns
from tagger.welcome import pledge
from tests.support.factors import give_factor
from tests.support.mutants import mutant


@pytest.fixture
def call(bea):
    """Make a request with Bea's token; returns the status."""
    _stored, token = ProgramToken.objects.create(bea)
    client = Client(HTTP_AUTHORIZATION=f"Token {token}", raise_request_exception=False)
    return lambda: client.get("/api/v1/campaigns/").status_code


@pytest.fixture
def looked_up(monkeypatch):
    """The token look-ups so far. A function put into `fails` is called before the next one, once."""
    times, fails, real_one = [], [], prepared.one

    def one(*args):
        times.append(args[0])
        if fails:
            fails.pop()()
        return real_one(*args)

    monkeypatch.setattr(tokens.prepared, "one", one)
    return times, fails


def cut():
    """Cut the database connection."""
    with socket.socket(fileno=os.dup(connection.connection.fileno())) as wire:
        wire.shutdown(socket.SHUT_RDWR)


@mutant(
    "a call over a lost database connection is answered",
    "accounts/tokens.py",
    kept_by="    except Error:",
    broken="    except InterfaceError:",
)
@pytest.mark.django_db(transaction=True)
def test_a_connection_lost_since_the_last_call_is_reopened(call):
    assert call() == 200
    cut()
    assert call() == 200


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("error", [DatabaseError, InterfaceError, OperationalError])
def test_a_lost_connection_is_recognised_by_any_of_the_drivers_errors(call, looked_up, error):
    """In a run of 300 faults, a killed server caused DatabaseError three times."""

    def lose():
        cut()
        raise error("server closed the connection unexpectedly")

    times, fails = looked_up
    fails.append(lose)
    assert call() == 200
    assert times == ["person_of_token"] * 2


@pytest.mark.django_db(transaction=True)
def test_an_error_on_a_working_connection_is_not_retried(call, looked_up):
    def refuse():
        raise DatabaseError("no")

    times, fails = looked_up
    fails.append(refuse)
    assert call() == 500
    assert times == ["person_of_token"]


CALLS = {
    "campaigns": "/api/v1/campaigns/",
    "tag": "/api/v1/assignments/1/audio/",
    "download": "/api/v1/releases/",
}


@pytest.fixture
def everyone(db):
    """With all roles, so that only a token's scopes can refuse them."""
    return give_factor(User.objects.create_superuser("ed", roles=list(Role), pledge=pledge.VERSION))


def program(person, scopes=None, days=90):
    _stored, token = ProgramToken.objects.create(person, scopes, days)
    return Client(headers={"authorization": f"Token {token}"})


@mutant(
    "a token does only what its scopes say",
    "accounts/tokens.py",
    kept_by="    if not set(wanted).intersection(scopes):",
    broken="    if False:",
)
def test_a_token_does_only_what_its_scopes_say(everyone):
    for scopes, refused in (
        (["tag"], ["download"]),
        (["download"], ["tag"]),
        (["import"], ["tag", "download"]),
    ):
        calls = program(everyone, scopes)
        for name, address in CALLS.items():
            answer = calls.get(address)
            assert (answer.status_code == 403) == (name in refused), (scopes, name)
            if name in refused:
                assert answer.json()["missing_scope"] == name and f"scope {name}" in answer.json()["detail"]


def api_views(resolver=None):
    """The view class of every call that takes the site's default log-ins."""
    for each in (resolver or get_resolver()).url_patterns:
        if isinstance(each, URLPattern):
            cls = getattr(each.callback, "cls", None)
            if cls and TokenAuthentication in cls.authentication_classes:
                yield cls
        else:
            yield from api_views(each)


def test_every_call_says_which_scopes_it_takes():
    declared = {cls.__name__: set(cls.token_scopes) for cls in api_views()}
    assert len(declared) > 10 and all(declared.values())
    assert set.union(*declared.values()) <= set(Scope)


@mutant(
    "a call that names no scope takes no token",
    "accounts/tokens.py",
    kept_by="    if not wanted:",
    broken="    if False:",
)
def test_a_call_that_names_no_scope_takes_no_token(everyone, monkeypatch):
    calls = program(everyone)
    assert calls.get(CALLS["campaigns"]).status_code == 200
    monkeypatch.delattr(Campaigns, "token_scopes")
    answer = calls.get(CALLS["campaigns"])
    assert (answer.status_code, answer.json()) == (403, {"detail": "This call takes no tokens."})


def test_a_session_needs_no_scope(everyone, client):
    client.force_login(everyone)
    assert [client.get(address).status_code for address in CALLS.values()] == [200, 404, 200]


@mutant(
    "a token that has ended is refused",
    "accounts/tokens.py",
    kept_by="        if has_ended:",
    broken="        if False:",
)
def test_an_ended_token_is_refused_and_told_why(everyone, django_assert_num_queries):
    calls = program(everyone, days=1)
    assert calls.get(CALLS["campaigns"]).status_code == 200
    ProgramToken.objects.update(expires_at=timezone.now() - timedelta(days=1))
    with django_assert_num_queries(1):
        answer = calls.get(CALLS["campaigns"])
    assert answer.status_code == 401 and "expired" in answer.json()["detail"]


def test_the_clean_up_deletes_tokens_that_ended_a_week_ago(bea):
    kept, ended, live = (ProgramToken.objects.create(bea)[0] for _ in range(3))
    ProgramToken.objects.filter(pk=kept.pk).update(expires_at=timezone.now() - timedelta(days=6))
    ProgramToken.objects.filter(pk=ended.pk).update(expires_at=timezone.now() - timedelta(days=8))
    clear_expired_sessions()
    assert set(ProgramToken.objects.all()) == {kept, live}


# --- the form on the profile page ---------------------------------------------------------------


@pytest.fixture
def beas(client, bea):
    client.force_login(bea)
    return client


def shown(page):
    return re.search(r'id="token" dir="ltr"><code>(\w+)<', page.content.decode())[1]


def test_the_form_offers_what_the_roles_allow_with_tagging_ticked_and_ninety_days(beas, everyone):
    page = beas.get("/profile/").content.decode()
    boxes = re.findall(r'<input type="checkbox" name="scopes" value="(\w+)"[^>]*?( checked)?>', page)
    assert boxes == [("tag", " checked"), ("import", ""), ("download", "")]
    assert re.findall(r'<option value="(\d+)"( selected)?', page) == [
        ("30", ""),
        ("90", " selected"),
        ("365", ""),
    ]
    beas.force_login(everyone)
    assert 'value="review"' in beas.get("/profile/").content.decode()


def test_a_token_gets_the_scopes_and_days_that_were_chosen(beas):
    page = beas.post("/profile/tokens/", {"scopes": ["import"], "days": "30"})
    token = ProgramToken.objects.get()
    assert token.digest == ProgramToken.digest_of(shown(page)) and token.scopes == ["import"]
    assert abs(token.expires_at - timezone.now() - timedelta(days=30)) < timedelta(minutes=5)
    said = html.unescape(beas.get("/profile/").content.decode())
    assert (
        str(Scope.IMPORT.label) in said and f"ends on {date_format(token.expires_at, 'DATE_FORMAT')}" in said
    )


@pytest.mark.parametrize(
    "chosen",
    [
        {"days": "90"},
        {"scopes": ["review"], "days": "90"},
        {"scopes": ["tag", "everything"], "days": "90"},
        {"scopes": ["tag"], "days": "3650"},
        {"scopes": ["tag"]},
    ],
)
def test_what_was_not_offered_makes_no_token(beas, chosen):
    answer = beas.post("/profile/tokens/", chosen)
    assert answer.status_code == 400 and 'class="errorlist"' in answer.content.decode()
    assert not ProgramToken.objects.exists()


def test_a_request_without_any_field_gives_all_that_the_roles_allow(beas):
    shown(beas.post("/profile/tokens/"))
    token = ProgramToken.objects.get()
    assert token.scopes == ["tag", "import", "download"]
    assert abs(token.expires_at - timezone.now() - timedelta(days=90)) < timedelta(minutes=5)


def test_who_may_do_nothing_by_program_gets_no_token(client, sam):
    client.force_login(sam)
    assert 'name="scopes"' not in client.get("/profile/").content.decode()
    assert client.post("/profile/tokens/").status_code == 403 and not ProgramToken.objects.exists()


def test_a_lost_role_is_lost_to_its_tokens_too(bea):
    calls = program(bea)
    bea.roles = [Role.CONTRIBUTOR]
    bea.save()
    assert "role volunteer" in calls.get(CALLS["tag"]).json()["detail"]
