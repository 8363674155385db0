"""The e-mail address: changed and removed by its owner, and stored sealed."""

import pytest

from accounts.models import User
from tests.clips.test_imports import database_in_plain

PAGE = "/profile/email/"


@pytest.fixture
def edna(db):
    return User.objects.create_user("edna", email="edna@example.org")


@pytest.fixture
def here(client, edna):
    client.force_login(edna)
    return client


def address_of(person):
    return User.objects.get(pk=person.pk).address


def test_the_address_is_changed_and_in_no_column_in_plain(here, edna, settings):
    settings.SENDS_MAIL = True
    assert 'value="edna@example.org"' in here.get(PAGE).content.decode()
    assert here.post(PAGE, {"address": "other@example.org"})["Location"] == "/profile/"
    assert address_of(edna) == "other@example.org"
    stored = "\n".join(database_in_plain())
    assert "other@example" not in stored and b"other@example".hex() not in stored


def test_the_address_is_removed_also_where_no_mail_is_sent_any_more(here, edna, settings):
    settings.SENDS_MAIL = False
    assert PAGE in here.get("/profile/").content.decode()
    here.post(PAGE, {"address": ""})
    assert address_of(edna) == "" and not User.objects.get(pk=edna.pk).sealed_email
    assert here.get(PAGE).status_code == 404 and PAGE not in here.get("/profile/").content.decode()


@pytest.mark.parametrize("nonsense", ["not an address", "a@b", "x" * 300 + "@example.org", "a\0@example.org"])
def test_what_is_no_address_is_refused_and_stays_in_the_field(here, edna, nonsense):
    answer = here.post(PAGE, {"address": nonsense})
    assert answer.status_code == 400 and 'class="errorlist"' in answer.content.decode()
    assert address_of(edna) == "edna@example.org"
