"""The list of campaigns: own languages first, what waits before what does not, and what is finished apart."""

import re

import pytest
from django.utils import timezone

from accounts.models import User
from datasets import campaigns
from datasets.models import Annotation, Campaign, Task
from tagger.progress import community
from tests.conftest import NOW
from tests.support import takeout
from tests.support.mutants import mutant

pytestmark = pytest.mark.django_db


@pytest.fixture
def here(client, bea):
    client.force_login(bea)
    return client


@pytest.fixture
def frases(db):
    return campaigns.create(
        slug="frases", kind="transcription", language="es-MX", title="Frases", needs_track_record=False
    )


def page_of(here):
    return " ".join(here.get("/tag/").content.decode().split())


def titles(page, section):
    found = re.search(f'aria-labelledby="{section}">(.*?)</section>', page)
    return re.findall("<h3><bdi>(.*?)</bdi>", found[1]) if found else []


def tick(here, *codes):
    assert here.post("/my-languages/", {"language": codes}).url == "/tag/"


def test_my_languages_come_first_and_in_each_what_waits(here, bea, juniper, sentences, frases, add_tasks):
    juniper_title, sentences_title = juniper.title, sentences.title
    add_tasks(sentences, 1)
    add_tasks(frases, 1)
    assert titles(page_of(here), "own") == [sentences_title, "Frases", juniper_title]
    tick(here, "es")
    page = page_of(here)
    assert titles(page, "own") == ["Frases"]
    assert titles(page, "others") == [sentences_title, juniper_title]
    tick(here)  # none: all are treated alike
    page = page_of(here)
    assert titles(page, "own") == [sentences_title, "Frases", juniper_title] and titles(page, "others") == []


@mutant(
    "no language is chosen in advance, not even the page's own",
    "tagger/campaigns/listing.py",
    kept_by="code in chosen, code == suggested",
    broken="code in chosen or code == suggested, code == suggested",
)
def test_no_language_is_ticked_before_the_volunteer_chose_and_the_pages_own_comes_first(
    here, bea, juniper, frases
):
    page = page_of(here)
    assert re.findall('type="checkbox" name="language" value="(.*?)"(.*?)>', page) == [("en", ""), ("es", "")]
    assert page.count("(this page is in it)") == 1
    assert User.objects.get(pk=bea.pk).languages is None
    tick(here, "es", "xx", "EN")
    assert User.objects.get(pk=bea.pk).languages == ["es"]
    assert re.findall('type="checkbox" name="language" value="(.*?)"(.*?)>', page_of(here)) == [
        ("en", ""),
        ("es", " checked"),
    ]


def test_a_site_in_one_language_asks_for_none(here, juniper, sentences):
    assert 'type="checkbox" name="language"' not in page_of(here)


@mutant(
    "where nothing waits for this volunteer there is no primary button",
    "templates/tagger/campaigns/_campaign.html",
    kept_by="{% if each.is_waiting %}<a",
    broken="{% if not each.is_finished %}<a",
)
def test_no_primary_button_where_nothing_waits_for_this_volunteer(here, bea, carl, juniper, sentences, share):
    share(juniper)
    share(sentences, contributor=User.objects.get_by_natural_key("alice"))
    assert page_of(here).count('button primary" href="/tag/') == 3  # two, and a mix of them
    lent = here.post("/api/v1/campaigns/juniper/assignments/", {"count": 1}, content_type="application/json")
    here.post(f"/assignments/{lent.json()['assignments'][0]['id']}/answer/", {"answer": "yes"})
    page = page_of(here)
    assert re.findall('button primary" href="(.*?)"', page) == ["/tag/sentences/"]
    assert '<a class="button" href="/tag/juniper/">Look again' in page
    here.force_login(carl)
    assert page_of(here).count('button primary" href="/tag/') == 3


def test_finished_campaigns_are_apart_with_thanks(here, bea, juniper, sentences, add_tasks):
    done = add_tasks(juniper, 2)
    Task.objects.filter(pk__in=[each.pk for each in done]).update(
        status="settled", plain_answer="yes", settled_at=NOW
    )
    closed, other = (
        campaigns.create(slug=slug, kind="transcription", language="en", title=slug, stage="closed")
        for slug in ("closed", "other")
    )
    [given, _] = [*add_tasks(closed, 1), *add_tasks(other, 1)]
    Annotation.objects.create(task=given, annotator=bea, plain_answer="a", created_at=NOW)
    community.measure(timezone.now)
    page = page_of(here)
    assert titles(page, "own") == [sentences.title]
    assert titles(page, "finished") == [juniper.title, "closed"]  # not one that Bea had no part in
    assert "Finished, with thanks to everyone who listened" in page and "2 of 2 clips settled" in page
    assert "/tag/closed/agreement/" in page and 'href="/tag/closed/"' not in page


@mutant(
    "a volunteer's languages and goal are erased with the account",
    "accounts/models.py",
    kept_by="        self.languages = self.daily_goal = None\n",
    broken="",
)
def test_languages_and_goal_are_in_the_download_and_go_with_the_account(here, bea, juniper, frases):
    tick(here, "es")
    here.post("/my-answers/goal/", {"goal": "25"})
    bea.refresh_from_db()
    profile = takeout.profile_of(bea)
    assert (profile["languages"], profile["daily_goal"]) == (["es"], 25)
    bea.forget()
    bea.refresh_from_db()
    assert (bea.languages, bea.daily_goal) == (None, None)


def test_the_list_needs_the_same_queries_with_many_campaigns(
    here, bea, add_tasks, django_assert_max_num_queries
):
    def open_more(number):
        for n in range(number):
            more = {"slug": f"c{number}-{n}", "kind": "transcription", "language": "en"}
            add_tasks(campaigns.create(**more), 1)

    open_more(2)
    with django_assert_max_num_queries(12) as few:
        here.get("/tag/")
    open_more(5)
    with django_assert_max_num_queries(len(few)):
        here.get("/tag/")
    assert Campaign.objects.count() == 7
