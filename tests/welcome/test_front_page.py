"""The front page, and the clips that anyone can judge there: without an account, a cookie or a stored row."""

import re

import pytest
from django.apps import apps
from django.urls import reverse

from tagger.models import Community
from tests.support.mutants import mutant


def rows():
    """The number of rows of every model."""
    return {model: model._default_manager.count() for model in apps.get_models()}


@mutant(
    "trying a clip before there is an account sets no cookie",
    "templates/tagger/welcome/_practice_answers.html",
    kept_by="{% if not is_trial %}{% csrf_token %}{% endif %}",
    broken="{% csrf_token %}",
)
def test_anyone_can_judge_the_made_clips_and_nothing_is_stored(client, db):
    before = rows()
    for address in ("/", "/try/", "/try/?clip=2", "/try/?kind=transcription"):
        shown = client.get(address)
        assert shown.status_code == 200 and not shown.cookies
    right = client.post("/try/", {"answer": "yes"})
    assert "Right." in right.content.decode() and "/try/?clip=2" in right.content.decode()
    wrong = client.post("/try/?clip=3", {"answer": "yes"}).content.decode()
    assert "Not quite." in wrong and reverse("account_signup") in wrong
    words = client.post("/try/?kind=transcription", {"answer": "Please turn on the light."})
    assert "Right." in words.content.decode()
    assert rows() == before and not client.cookies


def test_what_cannot_be_judged_is_said(client, db):
    assert client.get("/try/?clip=4").status_code == 404
    assert client.post("/try/", {"answer": "perhaps"}).status_code == 400


def test_the_front_page_answers_head_and_names_its_preview(client, db):
    assert client.head("/").status_code == 200
    page = client.get("/").content.decode()
    image = re.search(r'property="og:image" content="http://testserver(/static/img/preview[^"]*)"', page)
    assert image and "og:title" in page and "og:description" in page


@pytest.mark.parametrize(("seconds", "shown"), [(3_540, False), (3_600, True)])
def test_numbers_are_shown_once_they_encourage(client, db, seconds, shown):
    Community.objects.create(pk=1, answers=7_131, seconds_settled=seconds, measured_at="2026-11-01T00:00Z")
    page = client.get("/").content.decode()
    assert ("7131" in page.replace(",", "")) is shown
    assert ("Be among the first" in page) is not shown


def test_each_promise_links_to_where_it_can_be_checked(client, db):
    page = client.get("/").content.decode()
    promises = page[page.index('id="promise"') :]
    assert reverse("ledger") in promises and reverse("check_receipt") in promises
