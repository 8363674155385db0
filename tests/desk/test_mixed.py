"""The mixed queue without a script: ten clips of one campaign, then ten of the next."""

import re
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.models import User
from datasets import campaigns
from datasets.models import Annotation, Campaign, Task
from tagger.desk import mixed
from tests.conftest import NOW
from tests.support.mutants import mutant

pytestmark = pytest.mark.django_db


@pytest.fixture
def here(client, bea):
    client.force_login(bea)
    return client


@pytest.fixture
def third(db):
    return campaigns.create(slug="third", kind="transcription", language="en", needs_track_record=False)


@pytest.fixture
def give(add_tasks):
    """Answers of one person, one a second."""

    def some(person, campaign, number):
        answered = add_tasks(campaign, number)
        pks = [task.pk for task in answered]
        Task.objects.filter(pk__in=pks).update(status="settled", plain_answer="no", settled_at=NOW)
        begin = timezone.now() - timedelta(hours=1) + timedelta(minutes=Annotation.objects.count())
        Annotation.objects.bulk_create(
            Annotation(
                task=task, annotator=person, plain_answer="no", created_at=begin + timedelta(seconds=n)
            )
            for n, task in enumerate(answered)
        )

    return some


@pytest.fixture
def spanish(db):
    return campaigns.create(slug="spanish", kind="transcription", language="es", needs_track_record=False)


def slugs(found):
    return [campaign.slug for campaign in found]


def showing(page):
    return re.search('data-campaign="(.*?)"', page.content.decode())[1]


def test_after_ten_answers_to_one_campaign_it_is_the_next_ones_turn(
    bea, juniper, sentences, third, add_tasks, give
):
    for each in (juniper, sentences, third):
        add_tasks(each, 3)

    def turn(after=""):
        return slugs(mixed.in_turn(bea, NOW, after))

    assert turn() == ["juniper", "sentences", "third"]
    give(bea, sentences, 9)
    assert turn() == ["sentences", "third", "juniper"]
    give(bea, sentences, 1)
    assert turn() == ["third", "juniper", "sentences"]
    give(bea, third, 10)
    assert turn() == ["juniper", "sentences", "third"]
    assert turn(after="juniper") == ["sentences", "third", "juniper"]
    assert turn(after="no such campaign\x00") == turn()


def test_only_campaigns_in_own_languages_that_have_a_clip_are_mixed(
    bea, juniper, sentences, third, add_tasks
):
    add_tasks(juniper, 1)
    add_tasks(third, 1)
    Campaign.objects.filter(pk=third.pk).update(language="es-MX")
    bea.languages = ["en"]
    assert slugs(mixed.in_turn(bea, NOW)) == ["juniper"]
    bea.languages = ["es", "en"]
    assert slugs(mixed.in_turn(bea, NOW)) == ["juniper", "third"]


def test_the_form_without_a_script_stays_in_the_queue_and_changes_the_campaign(
    here, bea, juniper, sentences, add_tasks, give, share
):
    share(sentences)
    share(juniper)
    give(bea, juniper, 9)
    page = here.get("/tag/mixed/")
    assert showing(page) == "juniper" and "Surprise me" in page.content.decode()
    assert page.content.decode().count('name="queue" value="mixed"') == 3
    action = re.search('action="(/assignments/.*?/answer/)"', page.content.decode())[1]
    page = here.post(action, {"answer": "yes", "queue": "mixed"}, follow=True)
    assert page.redirect_chain == [("/tag/mixed/", 302)] and showing(page) == "sentences"
    action = re.search('action="(/assignments/.*?/answer/)"', page.content.decode())[1]
    refused = here.post(action, {"answer": " ", "queue": "mixed"})
    assert refused.status_code == 400 and 'value="mixed"' in refused.content.decode()
    page = here.post(action.replace("answer", "skip"), {"queue": "mixed"}, follow=True)
    page = page.content.decode()
    assert "caught up</h2>" in page and 'href="/tag/mixed/">Check again' in page


def test_the_queue_asks_for_the_pledge_and_for_languages_first(here, bea, juniper, share):
    share(juniper)
    campaigns.create(slug="frases", kind="transcription", language="es")
    asked = here.get("/tag/mixed/", follow=True)
    assert (
        asked.redirect_chain == [("/tag/", 302)] and "Choose your languages first" in asked.content.decode()
    )
    here.post("/my-languages/", {"language": "en"})
    assert showing(here.get("/tag/mixed/")) == "juniper"
    User.objects.filter(pk=bea.pk).update(pledge="")
    assert here.get("/tag/mixed/").url.startswith("/first-minute/")


def test_without_an_open_campaign_the_queue_leads_to_the_list(here, juniper):
    Campaign.objects.update(stage="closed")
    assert here.get("/tag/mixed/").url == "/tag/"


def test_an_empty_campaign_offers_the_next_that_has_a_clip(here, bea, juniper, sentences, third, share):
    def offered():
        page = here.get("/tag/sentences/").content.decode()
        assert "all caught up here" in page
        found = re.search('button primary" href="/tag/([a-z]+)/">Go to that', page)
        return found and found[1]

    assert offered() is None
    share(juniper)
    assert offered() == "juniper"
    share(third)
    assert offered() == "third"
    Campaign.objects.filter(pk=third.pk).update(language="es")
    assert offered() == "juniper"
    User.objects.update(languages=["es"])
    assert offered() == "third"


def test_no_campaign_may_take_the_queues_address():
    with pytest.raises(ValidationError, match="taken by a page"):
        campaigns.create(slug="mixed", kind="transcription", language="en")


@mutant(
    "'Go to the clips' leads to clips in a language that the person said they understand, or reads",
    "tagger/desk/mixed.py",
    kept_by="    if must_choose_languages(person):\n        found = [",
    broken="    if must_choose_languages(person):\n        _ = [",
)
@pytest.mark.parametrize(
    ("reads", "chosen", "address"),
    [
        ("en", None, "/tag/sentences/"),
        ("es", None, "/tag/spanish/"),
        ("de", None, "/tag/"),  # where their languages are asked for
        ("en", ["es"], "/tag/spanish/"),
        ("de", [], "/tag/sentences/"),
    ],
)
def test_go_to_the_clips_leads_to_clips(
    here, bea, juniper, sentences, spanish, add_tasks, reads, chosen, address
):
    for campaign in (sentences, spanish):  # juniper has none
        add_tasks(campaign, 1)
    User.objects.filter(pk=bea.pk).update(languages=chosen)
    asked = {"accept-language": reads}
    ready = here.get("/first-minute/ready/", headers=asked).content.decode()
    assert re.search('to-the-queue" href="(.*?)"', ready)[1] == "/tag/next/"
    assert here.get("/tag/next/", headers=asked).url == address


def test_go_to_the_clips_leads_to_the_list_when_no_clip_waits(here, juniper):
    assert here.get("/tag/next/").url == "/tag/"
