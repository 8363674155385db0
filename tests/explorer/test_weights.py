"""How much a person's answers count in one campaign: never deleted, recounted, and back to the same bytes."""

import pytest
from django.db.models import F

from accounts.models import User
from accounts.signing import canonical_json
from datasets import campaigns
from datasets.models import Annotation, Task
from tagger.learning import refit
from tagger.lending import assignments
from tagger.models import PersonWeight
from tagger.progress import coaching
from tagger.settling import certificates, person_weights, settlement
from tests.conftest import NOW
from tests.support.mutants import mutant

pytestmark = pytest.mark.django_db

VOTES = {
    "juniper": ["yes", "no", "yes", "yes"],
    "sentences": ["turn on the lights", "turn on the lights", "turn of the lights"],
}


@pytest.fixture(params=VOTES)
def campaign(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def settled(campaign, add_tasks, volunteers):
    """One task with several answers."""
    [task] = add_tasks(campaign, 1)
    for person, answer in zip(volunteers, VOTES[campaign.slug], strict=False):
        give(task, person, answer)
    settlement.settle(task.pk, NOW)
    return fresh(task)


@pytest.fixture
def olga(db):
    return User.objects.create_user("olga")


def give(task, person, answer):
    Annotation.objects.create(task=task, annotator=person, answer=answer, created_at=NOW)
    Task.objects.filter(pk=task.pk).update(annotation_count=F("annotation_count") + 1, dirty_since=NOW)


def fresh(task):
    return Task.objects.select_related("campaign", "clip__contributor__data_key").get(pk=task.pk)


def weigh(task, person, factor, owner, note=""):
    """The owner decides, and the workers do the rest."""
    person_weights.decide(task.campaign, person, factor, note, owner, NOW)
    person_weights.recount(NOW)
    settlement.settle_waiting(NOW, 100)
    return fresh(task)


def told(task):
    """What the label came to, without how it was made."""
    certificate = task.certificate
    return (
        task.status,
        task.answer,
        task.confidence,
        task.soft,
        certificate["verdict"],
        certificate["posterior"],
    )


@mutant(
    "an answer that has no weight is as if it had not been given",
    "tagger/settling/certificates.py",
    kept_by="    votes = [Vote(each.voter, each.answer, weight) for each, weight in weighed if weight]\n",
    broken="    votes = [Vote(each.voter, each.answer, weight or 1.0) for each, weight in weighed]\n",
)
def test_without_weight_they_are_as_if_they_had_not_voted(settled, campaign, add_tasks, volunteers, olga):
    [other] = add_tasks(campaign, 1)
    for person, answer in list(zip(volunteers, VOTES[campaign.slug], strict=False))[1:]:
        give(other, person, answer)
    settlement.settle(other.pk, NOW)
    assert told(weigh(settled, volunteers[0], 0, olga)) == told(fresh(other))
    assert settled.annotations.filter(annotator=volunteers[0]).exists()


@mutant(
    "a weight that was taken back leaves no trace in the labels",
    "tagger/settling/person_weights.py",
    kept_by="        for tasks in _batches(weight):\n",
    broken="        for tasks in list(_batches(weight))[:0]:\n",
)
@pytest.mark.parametrize("factor", [0, 0.5, 2])
def test_taken_back_it_comes_to_the_same_bytes(settled, volunteers, olga, factor):
    before = canonical_json(settled.certificate), settled.soft, settled.answer, settled.status
    changed = weigh(settled, volunteers[1], factor, olga)
    assert canonical_json(changed.certificate) != before[0]
    again = weigh(settled, volunteers[1], 1, olga)
    assert (canonical_json(again.certificate), again.soft, again.answer, again.status) == before
    assert not PersonWeight.objects.exists()


@mutant(
    "a label is recomputed with the weights that it was made with",
    "tagger/settling/certificates.py",
    kept_by='    weights = stored.get("weights", [])\n',
    broken="    weights: list[float] = []\n",
)
@pytest.mark.parametrize("factor", [0, 0.5, 2])
@pytest.mark.parametrize("learned", [False, True])
def test_its_label_is_recomputed_to_the_same_bytes(settled, volunteers, olga, factor, learned):
    if learned:
        refit.refit(settled.campaign.kind, settled.campaign.language, NOW)
    assert certificates.mismatch(weigh(settled, volunteers[0], factor, olga)) == ""


def test_less_weight_moves_the_confidence_away_from_their_answer(settled, volunteers, olga):
    """Everyone but the one in the minority counts half."""
    less = weigh(settled, volunteers[0], 0.5, olga)
    more = weigh(settled, volunteers[0], 2, olga)
    assert less.confidence < settled.confidence < more.confidence


def test_another_person_is_asked_in_the_place_of_whoever_has_no_weight(juniper, add_tasks, volunteers, olga):
    [task] = add_tasks(juniper, 1)
    for person, answer in zip(volunteers[:2], ("yes", "yes"), strict=True):
        give(task, person, answer)
    settlement.settle(task.pk, NOW)
    assert fresh(task).status == "settled"
    changed = weigh(fresh(task), volunteers[0], 0, olga)
    assert (changed.status, changed.answer, changed.annotation_count, changed.wanted) == ("open", None, 2, 3)


def test_after_the_most_answers_others_are_still_asked_instead(juniper, add_tasks, volunteers, olga):
    juniper.max_annotations = 2
    juniper.save()
    [task] = add_tasks(juniper, 1)
    for person, answer in zip(volunteers[:2], ("yes", "no"), strict=True):
        give(task, person, answer)
    settlement.settle(task.pk, NOW)
    assert fresh(task).status == "disputed"
    changed = weigh(fresh(task), volunteers[0], 0, olga)
    assert (changed.status, changed.wanted) == ("open", 3)
    assert [each.task_id for each in assignments.lend(volunteers[2], juniper, 1, NOW)] == [task.pk]


def test_it_counts_in_that_campaign_alone(settled, volunteers, olga, add_tasks):
    other = campaigns.create(
        slug="other", kind="wake-word", wake_word="hey other", language="en", needs_track_record=False
    )
    [task] = add_tasks(other, 1)
    for person in volunteers[:2]:
        give(task, person, "yes")
    settlement.settle(task.pk, NOW)
    before = fresh(task).certificate
    weigh(settled, volunteers[0], 0, olga)
    assert fresh(task).certificate == before


def test_a_reviewers_decision_stays(settled, volunteers, olga):
    Task.objects.filter(pk=settled.pk).update(adjudicated=True)
    changed = weigh(settled, volunteers[0], 0, olga)
    assert (changed.status, changed.answer) == (settled.status, settled.answer)


def test_everything_they_answered_there_is_counted_again(juniper, add_tasks, volunteers, olga, monkeypatch):
    monkeypatch.setattr(person_weights, "BATCH_SIZE", 3)
    tasks = add_tasks(juniper, 7)
    for task in tasks:
        give(task, volunteers[0], "yes")
        settlement.settle(task.pk, NOW)
    person_weights.decide(juniper, volunteers[0], 0, "", olga, NOW)
    assert person_weights.recount(NOW) == 7 and person_weights.recount(NOW) == 0
    assert Task.objects.filter(dirty_since=NOW).count() == 7


def test_the_record_has_old_and_new_value_and_no_note(settled, volunteers, olga):
    weigh(settled, volunteers[0], 0.5, olga, note="mostly noise")
    [event] = olga.audit_events.filter(act="weighed")
    assert event.about == f"person {volunteers[0].pk}"
    assert event.details == {"campaign": settled.campaign.slug, "changed": {"weight": [1.0, 0.5]}}


def test_the_note_is_sealed(settled, volunteers, olga):
    weigh(settled, volunteers[0], 0.5, olga, note="mostly noise")
    [weight] = PersonWeight.objects.all()
    assert b"noise" not in bytes(weight.sealed_note)
    assert person_weights.note_of(weight) == "mostly noise"


@mutant(
    "whoever counts less is told on their own page",
    "tagger/progress/coaching.py",
    kept_by='    return [each.campaign for each in less.order_by("campaign__slug")]\n',
    broken="    return []\n",
)
def test_the_person_is_told_kindly(client, settled, volunteers, olga):
    weigh(settled, volunteers[0], 0, olga)
    assert coaching.weighed_less(volunteers[0]) == [settled.campaign]
    client.force_login(volunteers[0])
    page = client.get("/my-answers/").content.decode()
    assert "your answers count less than usual for now. All of them are kept" in page
    client.force_login(volunteers[1])
    assert "count less than usual" not in client.get("/my-answers/").content.decode()
