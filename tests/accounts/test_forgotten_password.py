"""A forgotten password: the pages ask for the pseudonym, in five languages, and the link works once."""

import re

import pytest
from django.core import mail
from django.urls import include, path

from accounts.models import User
from tagger import urls
from tests.support.mutants import mutant

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

# As on a site that sends mail.
urlpatterns = [path("accounts/", include("allauth.urls")), *urls.urlpatterns]

PAGE = "/accounts/password/reset/"
NEW = "four words nobody else has"


@pytest.fixture
def edna():
    return User.objects.create_user("edna", email="edna@example.org", password="an old one to forget")


def asked_by(client, name, language="en"):
    headers = {"accept-language": language}
    return client.post(PAGE, {"email": name}, follow=True, headers=headers).content.decode()


@mutant(
    "the page for a forgotten password asks for what its field takes: the pseudonym",
    "templates/account/password_reset.html",
    kept_by="Enter your pseudonym. If",
    broken="Enter your e-mail address. If",
)
@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "Enter your pseudonym."),
        ("es", "Escribe tu seudónimo."),
        ("de", "Gib dein Pseudonym ein."),
        ("fr", "pseudonyme."),
        ("ar", "اسمك المستعار."),
    ],
)
def test_the_page_asks_for_the_pseudonym(client, language, words):
    page = client.get(PAGE, headers={"accept-language": language}).content.decode()
    assert words in page and 'type="email"' not in page and 'autocomplete="username"' in page


def test_the_answer_is_the_same_whether_or_not_there_is_such_an_account(client, edna):
    User.objects.create_user("otto")  # has no address
    known, unknown, without = (asked_by(client, name) for name in ("edna", "nobody", "otto"))
    assert "If an account with this pseudonym has an e-mail address" in known
    assert known == unknown == without
    assert [each.to for each in mail.outbox] == [["edna@example.org"]]


@mutant(
    "a link for a new password works, and until the address is changed",
    "accounts/models.py",
    kept_by='EMAIL_FIELD = "address"',
    broken='EMAIL_FIELD = "sealed_email"',
)
@pytest.mark.parametrize(
    ("language", "subject"), [("en", "Choose a new password"), ("de", "Ein neues Passwort wählen")]
)
def test_the_link_sets_a_new_password_once(client, edna, language, subject):
    asked_by(client, "edna", language)
    (sent,) = mail.outbox
    assert subject in sent.subject and not re.search("Hello|Hallo|Ihr|edna", sent.body.split("http")[0])
    link = re.search(r"http://[^/]+(/\S+)", sent.body)[1]
    form = client.get(link, follow=True)
    address = form.redirect_chain[-1][0]
    done = client.post(address, {"password1": NEW, "password2": NEW}, follow=True).content.decode()
    assert "Your password is changed" in done
    assert User.objects.get(pk=edna.pk).check_password(NEW)
    assert "This link does not work any more" in client.get(link, follow=True).content.decode()


def test_a_link_ends_when_the_address_is_changed(client, edna):
    asked_by(client, "edna")
    edna.seal_address("other@example.org")
    link = re.search(r"http://[^/]+(/\S+)", mail.outbox[0].body)[1]
    assert "This link does not work any more" in client.get(link, follow=True).content.decode()
