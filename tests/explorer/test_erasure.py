"""What an owner sees and decides about a person goes with that person, and is in their download before."""

import pytest
from django.utils import timezone

from datasets.models import Annotation
from tagger.explorer import counting, jobs, saved_views
from tagger.models import ClipJob, PairFigures, PersonFigures, PersonWeight, SavedView
from tagger.privacy import withdrawal
from tagger.settling import person_weights
from tests.conftest import NOW
from tests.support import takeout
from tests.support.mutants import mutant

pytestmark = pytest.mark.django_db

WHY = "a radio is answered too"


@pytest.fixture
def weighed(hers, add_tasks, answer, volunteers, olga):
    """Bea and Carl answered a clip of Olga's campaign; Bea's answers count nothing there."""
    answer(add_tasks(hers, 1)[0], "no", "yes")
    person_weights.decide(hers, volunteers[0], 0, WHY, olga, NOW)
    counting.count(hers, lambda: NOW)
    return volunteers[0]


def leave(person, keep=False):
    scrub(withdrawal.forget_account(person, keep, NOW))


def scrub(requested):
    row = withdrawal.Withdrawal.objects.get(pk=requested.withdrawal)
    withdrawal.scrub(row, lambda: NOW)


@mutant(
    "a weight is erased with its person",
    "tagger/privacy/withdrawal.py",
    kept_by='        gone["person_weights"] = person.person_weights.all().delete()[0]\n',
    broken="",
)
@mutant(
    "figures of a person are erased with them",
    "tagger/privacy/withdrawal.py",
    kept_by='        gone["person_figures"] = person.person_figures.all().delete()[0] + pairs.delete()[0]\n',
    broken="",
)
@pytest.mark.parametrize("keep", [True, False])
def test_weight_note_and_figures_go_with_the_person(weighed, keep):
    assert PairFigures.objects.exists()
    leave(weighed, keep)
    assert not PersonWeight.objects.exists()
    assert not PersonFigures.objects.filter(person=weighed).exists() and not PairFigures.objects.exists()


@mutant(
    "what had no weight gets none because its annotator left",
    "tagger/privacy/kept_answers.py",
    kept_by="Annotation.Weight.LITTLE if campaign in less else ",
    broken="",
)
def test_a_kept_answer_does_not_get_its_weight_back(weighed):
    leave(weighed, keep=True)
    kept = Annotation.objects.get(annotator=None)
    assert kept.kept_weight == Annotation.Weight.LITTLE


@mutant(
    "what an owner keeps for themselves is erased with them",
    "tagger/privacy/withdrawal.py",
    kept_by='        gone["saved_views"] = person.saved_views.all().delete()[0]\n',
    broken="",
)
def test_views_and_jobs_go_with_the_owner_and_weights_name_no_one(weighed, hers, olga):
    saved_views.save(hers, olga, "doubtful", "confidence_to=0.8")
    jobs.ask(hers, olga, "priority", {"priority": 1}, NOW)
    leave(olga)
    assert not SavedView.objects.exists() and not ClipJob.objects.exists()
    assert PersonWeight.objects.get().decided_by is None


@mutant(
    "the note on a weight survives when the person deletes a clip",
    "tagger/privacy/withdrawal.py",
    kept_by="        person_weights.reseal(person, old, new)\n",
    broken="",
)
def test_the_note_survives_a_new_key(hers, olga, alice):
    weight = person_weights.decide(hers, alice, 0.5, WHY, olga, NOW)
    scrub(withdrawal.forget_clips(alice, [], NOW))
    weight = PersonWeight.objects.select_related("person").get(pk=weight.pk)
    assert person_weights.note_of(weight) == WHY


def test_a_person_downloads_their_weight_with_its_note_and_their_figures(weighed, hers, olga):
    [weight] = takeout.file_of(weighed, "weights.json")
    assert (weight["campaign"], weight["factor"], weight["note"]) == ("juniper", 0, WHY)
    assert weight["until_you_answer_again"] is False
    [figures] = takeout.file_of(weighed, "figures-by-campaign.json")
    assert (figures["campaign__slug"], figures["answers"]) == ("juniper", 1)
    saved_views.save(hers, olga, "doubtful", "confidence_to=0.8")
    jobs.ask(hers, olga, "priority", {"priority": 1}, timezone.now())
    profile = takeout.file_of(olga, "profile.json")
    assert [view["name"] for view in profile["saved_views"]] == ["doubtful"]
    assert [job["act"] for job in profile["acts_on_many_clips"]] == ["priority"]
