"""A reviewer decides the tasks that volunteers could not settle."""

from datetime import timedelta

import pytest
from django.urls import reverse

from accounts import consent
from accounts.models import Role
from datasets.models import Annotation, Campaign, Clip, Task
from tagger.desk import examples
from tagger.lending import assignments
from tagger.lending.refusals import AnswerRefusal
from tagger.models import Dispute
from tagger.privacy.silencing import SilencingRefusal
from tagger.review import disputes
from tagger.review.wording import WORDS
from tagger.settling import settlement
from tests.conftest import NOW
from tests.support.refused import refused

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def disagree(volunteers):
    """Two volunteers disagree on a task and no more are asked. Returns the dispute over it."""

    def about(task, one, other, now=NOW):
        Campaign.objects.filter(pk=task.campaign_id).update(max_annotations=2)
        for person, answer in zip(volunteers, (one, other), strict=False):
            Annotation.objects.create(task=task, annotator=person, answer=answer, created_at=now)
        Task.objects.filter(pk=task.pk).update(annotation_count=2, dirty_since=now)
        settlement.settle(task.pk, now)
        return Dispute.objects.get(task=task)

    return about


@pytest.fixture
def task(juniper, add_tasks):
    return add_tasks(juniper, 1)[0]


@pytest.fixture
def dispute(task, disagree):
    return disagree(task, "yes", "no")


@pytest.fixture
def spoken(sentences, add_tasks, disagree):
    return disagree(add_tasks(sentences, 1)[0], "turn on the lights", "burn all the kites")


def test_a_decision_settles_the_task(rita, task, dispute):
    disputes.decide(dispute, rita, "similar", LATER)
    task.refresh_from_db()
    assert (task.status, task.answer, task.adjudicated, task.settled_at) == (
        "settled",
        "similar",
        True,
        LATER,
    )


def test_a_decision_is_stored_with_its_reviewer(rita, dispute):
    disputes.decide(dispute, rita, "similar", LATER)
    dispute.refresh_from_db()
    assert (dispute.reviewer, dispute.answer, dispute.decided_at) == (rita, "similar", LATER)


def test_a_decision_does_not_change_the_volunteers_agreement(rita, task, dispute):
    task.refresh_from_db()
    before = task.confidence, task.soft
    disputes.decide(dispute, rita, "similar", LATER)
    task.refresh_from_db()
    assert (task.confidence, task.soft) == before
    assert task.confidence < 0.75


def test_a_decided_dispute_is_not_offered_again(rita, dispute):
    assert list(disputes.open_for(rita)) == [dispute]
    disputes.decide(dispute, rita, "no", NOW)
    assert list(disputes.open_for(rita)) == []


def test_deciding_twice_is_refused_and_the_first_decision_stays(rita, task, dispute):
    disputes.decide(dispute, rita, "no", NOW)
    with pytest.raises(disputes.DisputeRefused):
        disputes.decide(dispute, rita, "yes", LATER)
    task.refresh_from_db()
    assert (task.answer, task.settled_at) == ("no", NOW)


def test_every_refusal_of_a_decision_has_its_sentence():
    assert set(WORDS) == {*disputes.DisputeRefusal, *examples.ExampleRefusal, *SilencingRefusal}


def test_a_dispute_that_a_changed_answer_settled_cannot_be_decided(rita, bea, task, dispute):
    annotation = bea.annotations.get()
    assignments.change(bea, annotation.pk, "no", LATER)
    settlement.settle(task.pk, LATER)
    with pytest.raises(disputes.DisputeRefused):
        disputes.decide(dispute, rita, "yes", LATER)
    task.refresh_from_db()
    assert (task.answer, task.adjudicated) == ("no", False)


def test_a_decision_outlives_a_changed_answer(rita, bea, task, dispute):
    disputes.decide(dispute, rita, "yes", NOW)
    assignments.change(bea, bea.annotations.get().pk, "no", LATER)
    settlement.settle(task.pk, LATER)
    task.refresh_from_db()
    assert (task.status, task.answer, task.dirty_since) == ("settled", "yes", None)


@pytest.mark.parametrize("answer", ["maybe", "", "turn on the lights"])
def test_a_decision_is_one_of_the_answers(rita, task, dispute, answer):
    with refused(AnswerRefusal.NOT_A_LABEL):
        disputes.decide(dispute, rita, answer, NOW)
    task.refresh_from_db()
    dispute.refresh_from_db()
    assert (task.status, dispute.decided_at) == ("disputed", None)


def test_a_decided_transcript_is_settled_in_its_normal_form(rita, spoken):
    disputes.decide(spoken, rita, "  Turn ON, the lights! ", NOW)
    spoken.refresh_from_db()
    assert (spoken.answer, spoken.task.answer) == ("Turn ON, the lights!", "turn on the lights")


def test_a_reviewer_may_decide_that_no_one_speaks(rita, spoken):
    disputes.decide(spoken, rita, "", NOW)
    spoken.task.refresh_from_db()
    assert (spoken.task.status, spoken.task.answer) == ("settled", "")


def test_reviewers_are_not_offered_disputes_over_their_own_clips(alice, dispute):
    alice.roles = [*alice.roles, Role.REVIEWER]
    assert list(disputes.open_for(alice)) == []


@pytest.mark.parametrize("end", ["withdrawn", "hidden"])
def test_a_dispute_over_a_clip_that_is_not_live_is_not_offered(alice, rita, dispute, end):
    if end == "withdrawn":
        consent.withdraw(alice, NOW)
    else:
        Clip.objects.update(hidden_at=NOW)
    assert list(disputes.open_for(rita)) == []


def test_the_oldest_dispute_is_offered_first(rita, juniper, add_tasks, disagree):
    second, first = add_tasks(juniper, 2)
    younger = disagree(second, "yes", "no", LATER)
    older = disagree(first, "yes", "no", NOW)
    assert list(disputes.open_for(rita)) == [older, younger]


def test_a_disputed_task_is_not_lent(volunteers, juniper, dispute):
    assert assignments.lend(volunteers[3], juniper, 1, NOW) == []


@pytest.mark.django_db(transaction=True)
def test_only_one_of_two_concurrent_decisions_is_stored(rita, carl, task, dispute, run_together):
    done = run_together(
        lambda: disputes.decide(dispute, rita, "yes", NOW), lambda: disputes.decide(dispute, carl, "no", NOW)
    )
    assert sorted(type(result).__name__ for result in done) == ["DisputeRefused", "NoneType"]
    dispute.refresh_from_db()
    task.refresh_from_db()
    assert (task.answer, dispute.answer) in {("yes", "yes"), ("no", "no")}
    assert (dispute.reviewer == rita) == (dispute.answer == "yes")


def test_a_transcript_with_too_many_words_decides_nothing_and_says_why(rita, spoken, client):
    client.force_login(rita)
    typed = " ".join(["la"] * 301)
    response = client.post(reverse("decide", args=[spoken.pk]), {"answer": typed})
    assert response.status_code == 400
    drawn = response.content.decode()
    assert "transcript has 301 words, at most 300 are accepted." in drawn and typed in drawn
    assert Dispute.objects.get().decided_at is None
