"""Who runs this site: said once, on record, and read by everyone."""

import socket

import pytest
from django.db import DatabaseError

from accounts import operators
from accounts.models import AuditEvent, Operator
from tests.conftest import NOW
from tests.support.mutants import mutant

pytestmark = pytest.mark.django_db

SAID = {
    "name": "Juniper <Society>",
    "contact": "hello@juniper.example",
    "postal_address": "1 Lane\nTown",
    "privacy_url": "",
    "privacy_text": "## What we keep\n\n**Nothing** by default. <script>",
}


@pytest.fixture
def said(admin_user):
    operators.describe(SAID, admin_user, NOW)
    operators.forget()
    return admin_user


def events():
    return AuditEvent.objects.filter(act=AuditEvent.Act.SAID_WHO_RUNS).order_by("number")


@mutant(
    "each change of who runs the site is an event of the record",
    "accounts/operators.py",
    kept_by="    audit.record(audit.Act.SAID_WHO_RUNS, ",
    broken="    True or audit.record(audit.Act.SAID_WHO_RUNS, ",
)
def test_each_change_is_an_event_and_no_change_is_none(said):
    assert events().get().details["fields"] == ["name", "contact", "postal_address", "privacy_text"]
    assert events().get().person == said
    operators.describe(SAID, said, NOW)
    assert events().count() == 1
    operators.describe(SAID | {"contact": "https://juniper.example/us"}, said, NOW)
    assert events().last().details == {"fields": ["contact"]}
    assert Operator.objects.count() == 1


@mutant(
    "the record, which forgets nothing, has no name and no address of who runs the site",
    "accounts/operators.py",
    kept_by='    details: dict[str, Any] = {"fields": changed}\n',
    broken='    details: dict[str, Any] = {"fields": [getattr(operator, name) for name in changed]}\n',
)
def test_the_record_has_no_words_of_it(said):
    told = str(events().get().details)
    assert not any(word in told for word in ("Juniper", "hello", "Lane", "Nothing"))


def test_every_page_says_it_at_its_end(said, client):
    page = client.get("/").content.decode()
    assert "Juniper &lt;Society&gt;" in page and 'href="/who-runs-this/"' in page
    assert 'href="/who-runs-this/#privacy"' in page
    assert "hello@" not in page


def test_the_page_for_everyone_shows_it_all_and_runs_nothing_of_it(said, client):
    page = client.get("/who-runs-this/").content.decode()
    assert 'href="mailto:hello@juniper.example"' in page and "1 Lane<br>Town" in page
    assert "<strong>Nothing</strong>" in page and "<script>" not in page
    operators.describe(SAID | {"privacy_text": "", "privacy_url": "https://j.example/p"}, said, NOW)
    assert (
        'href="https://j.example/p" rel="noopener noreferrer"'
        in client.get("/who-runs-this/").content.decode()
    )


def test_before_it_is_said_the_page_says_that_and_no_other_leads_to_it(client):
    assert "have not said yet who they are" in client.get("/who-runs-this/").content.decode()
    assert "/who-runs-this/" not in client.get("/").content.decode()


def test_the_notice_ends_with_it(said, client, bea):
    client.force_login(bea)
    assert 'run by <a href="/who-runs-this/">' in client.get("/profile/consent/").content.decode()


@pytest.mark.parametrize(
    ("contact", "link"),
    [
        ("hello@juniper.example", "mailto:hello@juniper.example"),
        ("https://juniper.example/us", "https://juniper.example/us"),
        ("+49 30 1234", "tel:+49301234"),
    ],
)
def test_a_contact_is_a_link(contact, link):
    assert Operator(contact=contact).contact_link == link


def test_the_page_is_drawn_while_the_database_says_nothing(said, monkeypatch):
    assert operators.present().name == SAID["name"]

    def fails():
        raise DatabaseError

    monkeypatch.setattr(operators, "stored", fails)
    operators.forget()
    assert operators.present().name == SAID["name"]


def test_a_process_asks_the_database_once_in_a_while(said, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert operators.present() == operators.present()


@mutant(
    "saying who runs the site calls no other computer",
    "tagger/operators/operator_form.py",
    kept_by='        contact: str = self.cleaned_data["contact"]\n',
    broken='        contact: str = __import__("socket").gethostbyname("j.example")\n',
)
def test_saying_it_calls_nobody(admin_client, monkeypatch):
    called = []

    def call(*arguments, **options):
        called.append(arguments)
        raise OSError

    for name in ("gethostbyname", "getaddrinfo", "create_connection"):
        monkeypatch.setattr(socket, name, call)
    fields = SAID | {"privacy_text": "", "privacy_url": "https://j.example/p"}
    assert admin_client.post("/first-steps/who-runs-this/", fields).status_code == 302
    assert Operator.objects.get().privacy_url == "https://j.example/p"
    assert called == []
