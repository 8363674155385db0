"""Campaigns of one crowd are learned apart: one's troubles stay its own, and good records go along."""

import random
from datetime import timedelta

import pytest

from accounts.models import User
from datasets import campaigns
from datasets.models import Annotation, Task
from tagger import tasks
from tagger.learning import refit
from tagger.models import CampaignCrowd, CampaignReliability, Reliability
from tests.conftest import NOW
from tests.learning.test_recomputing import add_answers, confidences
from tests.support.mutants import mutant

pytestmark = pytest.mark.django_db
LABELS = ["yes", "similar", "no", "noise"]


def learn(campaign, hours=0):
    refit.refit(campaign.kind, campaign.language, NOW + timedelta(hours=hours))
    tasks.settle()


@pytest.fixture
def lavender(juniper):
    word = {"kind": juniper.kind, "wake_word": "hey lavender"}
    return campaigns.create(slug="lavender", language="en", needs_track_record=False, **word)


@pytest.fixture
def people(db):
    return [User.objects.create_user(f"person {number}") for number in range(6)]


@pytest.fixture
def history(juniper, add_tasks, people):
    """Sixty clips answered by five people who are right in most cases, and one who mostly says yes."""
    chance = random.Random(1)
    given = {}
    for number, task in enumerate(add_tasks(juniper, 60)):
        right = LABELS[number % 4]
        given[task] = {who: right if chance.random() < 0.85 else chance.choice(LABELS) for who in people[:5]}
        given[task][people[5]] = "yes" if chance.random() < 0.8 else right
    add_answers(given)
    learn(juniper)
    return people


def flood(campaign, add_tasks, people):
    """As many random answers by the same people to clips of this campaign."""
    chance = random.Random(2)
    some = add_tasks(campaign, 60)
    add_answers({task: {who: chance.choice(LABELS) for who in people} for task in some})


def settled(campaign):
    return set(Task.objects.filter(campaign=campaign, status="settled").values_list("pk", "plain_answer"))


def test_random_answers_to_one_campaign_change_no_label_of_its_neighbour(
    juniper, lavender, history, add_tasks
):
    before, known = settled(juniper), confidences(juniper)
    assert len(before) > 50
    flood(lavender, add_tasks, history)
    learn(juniper, hours=1)
    assert settled(juniper) == before
    assert confidences(juniper) == pytest.approx(known, abs=0.005)


@mutant(
    "answers of a campaign are weighed by what is known of it",
    "tagger/settling/crowds.py",
    kept_by="        CampaignReliability.objects.filter(campaign=campaign, annotator__in=people),\n",
    broken="",
)
def test_each_campaign_weighs_by_what_is_known_of_people_there(juniper, lavender, history, add_tasks):
    """Who mostly says yes to juniper is careful about lavender."""
    given = {task: dict.fromkeys(history, LABELS[n % 4]) for n, task in enumerate(add_tasks(lavender, 60))}
    add_answers(given)
    learn(juniper, hours=1)
    [here], [there] = add_tasks(juniper, 1), add_tasks(lavender, 1)
    for task in (here, there):
        add_answers({task: {history[5]: "yes"}})
    assert confidences(lavender)[there.pk] > confidences(juniper)[here.pk] + 0.1


def test_a_second_refit_of_two_campaigns_marks_nothing(juniper, lavender, history, add_tasks):
    flood(lavender, add_tasks, history)
    learn(juniper, hours=1)
    refit.refit(juniper.kind, juniper.language, NOW + timedelta(hours=2))
    assert not Task.objects.exclude(stale_since=None).exists()


@mutant(
    "whoever is new in a campaign brings along what is known of them",
    "tagger/settling/crowds.py",
    kept_by="        Reliability.objects.filter(crowd=crowd, annotator__in=people),\n",
    broken="",
)
def test_a_good_record_counts_in_a_new_campaign(lavender, history, add_tasks):
    *careful, clicker = history
    by_careful, by_clicker = add_tasks(lavender, 2)
    add_answers({by_careful: {careful[0]: "yes"}, by_clicker: {clicker: "yes"}})
    found = confidences(lavender)
    assert found[by_careful.pk] > found[by_clicker.pk]


def test_it_counts_there_after_the_next_refit_as_well(juniper, lavender, history, add_tasks):
    *careful, clicker = history
    by_careful, by_clicker = add_tasks(lavender, 2)
    add_answers({by_careful: {careful[0]: "yes"}, by_clicker: {clicker: "yes"}})
    learn(juniper, hours=1)
    found = confidences(lavender)
    assert found[by_careful.pk] > found[by_clicker.pk]
    assert CampaignReliability.objects.filter(campaign=lavender).count() == 2


def test_what_a_refit_stores_of_each_campaign(juniper, lavender, history, add_tasks):
    flood(lavender, add_tasks, history[:2])
    learn(juniper, hours=1)
    assert {each.campaign.slug for each in CampaignCrowd.objects.all()} == {"juniper", "lavender"}
    here = dict(CampaignReliability.objects.filter(campaign=juniper).values_list("annotator", "answers"))
    assert here == {who.pk: 60 for who in history}
    whole = dict(Reliability.objects.values_list("annotator", "answers"))
    assert whole == here | {who.pk: 120 for who in history[:2]}
    scores = CampaignReliability.objects.filter(annotator=history[0]).values_list("score", flat=True)
    assert Reliability.objects.get(annotator=history[0]).score == pytest.approx(sum(scores) / 2)


@mutant(
    "nothing that was learned in a campaign outlasts the answers there",
    "tagger/learning/refit.py",
    kept_by="    here.exclude(annotator__in=own.skills).delete()\n",
    broken="",
)
@mutant(
    "nothing that was learned of someone outlasts their answers",
    "tagger/learning/refit.py",
    kept_by="    Reliability.objects.filter(crowd=crowd).exclude(annotator__in=learned.skills).delete()\n",
    broken="",
)
def test_nothing_stays_that_was_learned_from_answers_that_are_gone(juniper, lavender, history, add_tasks):
    flood(lavender, add_tasks, history)
    learn(juniper, hours=1)
    first, second = history[:2]
    first.annotations.all().delete()
    second.annotations.filter(task__campaign=lavender).delete()
    learn(juniper, hours=2)
    assert not first.reliabilities.exists() and not first.campaign_reliabilities.exists()
    assert [each.campaign for each in second.campaign_reliabilities.all()] == [juniper]
    Annotation.objects.filter(task__campaign=lavender).delete()
    learn(juniper, hours=3)
    assert not lavender.reliabilities.exists() and juniper.reliabilities.count() == 5


def test_transcripts_of_two_campaigns_are_learned_apart(sentences, add_tasks, people):
    other = campaigns.create(slug="verses", kind=sentences.kind, language="en", needs_track_record=False)
    said = ["turn on the lights in the kitchen", "play some music please", "what time is it now"]
    chance = random.Random(3)
    words = " ".join(said).split()
    texts = {task: said[number % 3] for number, task in enumerate(add_tasks(sentences, 12))}
    add_answers({task: dict.fromkeys(people[:4], text) for task, text in texts.items()})
    learn(sentences)
    before, known = settled(sentences), confidences(sentences)
    noise = {
        task: {who: " ".join(chance.choices(words, k=5)) for who in people[:4]}
        for task in add_tasks(other, 12)
    }
    add_answers(noise)
    learn(sentences, hours=1)
    assert settled(sentences) == before and confidences(sentences) == pytest.approx(known, abs=0.01)
    scores = {
        slug: score for slug, score in CampaignReliability.objects.values_list("campaign__slug", "score")
    }
    assert scores["sentences"] > 0.9 > 0.5 > scores["verses"]
    refit.refit(sentences.kind, sentences.language, NOW + timedelta(hours=2))
    assert not Task.objects.exclude(stale_since=None).exists()
