"""Annotations become a verdict on the task's row, in any order and with other workers at the same time."""

from collections import Counter
from datetime import timedelta
from random import Random

import pytest
from django.conf import settings
from django.db.models import F

from datasets.models import Annotation, Label, Task
from tagger.consensus import labels
from tagger.consensus.verdict import Rule, Vote
from tagger.lending import assignments, leases
from tagger.lending.refusals import AnswerRefused
from tagger.models import Assignment, ReviewItem
from tagger.settling import settlement
from tests.conftest import NOW
from tests.support.site import eventually

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def task(juniper, add_tasks):
    return add_tasks(juniper, 1)[0]


@pytest.fixture
def sentence(sentences, add_tasks):
    return add_tasks(sentences, 1)[0]


@pytest.fixture
def vote(volunteers):
    """Stores one answer each by the next volunteers, as handing in does, and settles after each."""

    def one_by_one(task, *answers):
        given = task.annotations.count()
        for person, answer in zip(volunteers[given:], answers, strict=False):
            Annotation.objects.create(task=task, annotator=person, answer=answer, created_at=NOW)
            Task.objects.filter(pk=task.pk).update(
                annotation_count=F("annotation_count") + 1, dirty_since=NOW
            )
            settlement.settle(task.pk, NOW)
        task.refresh_from_db()
        return task

    return one_by_one


def change(task, number, answer):
    """One annotator changes their answer."""
    annotation = task.annotations.order_by("id")[number]
    assignments.change(annotation.annotator, annotation.pk, answer, LATER)
    settlement.settle(task.pk, LATER)
    task.refresh_from_db()


def everything(task):
    """Everything that settling could write."""
    return Task.objects.filter(pk=task.pk).values().get(), list(ReviewItem.objects.values())


@pytest.mark.parametrize(
    ("answers", "status", "answer"),
    [
        ("yes", "open", None),
        ("yes yes", "settled", "yes"),
        ("noise noise", "settled", "noise"),
        ("yes no", "open", None),
        ("yes no yes", "open", None),
        ("yes no yes yes", "settled", "yes"),
        ("yes no yes no yes no", "open", None),
        ("yes no yes no yes no similar", "disputed", None),
        ("yes no yes no yes no yes", "disputed", None),
    ],
)
def test_labels_settle_at_the_confidence_and_are_disputed_at_max_annotations(
    task, vote, answers, status, answer
):
    vote(task, *answers.split())
    assert (task.status, task.answer) == (status, answer)
    assert ReviewItem.objects.count() == (status == "disputed")


def test_a_tie_at_max_annotations_opens_a_dispute(juniper, task, vote):
    juniper.max_annotations = 2
    juniper.save()
    vote(task, "yes", "no")
    dispute = ReviewItem.objects.get()
    assert (dispute.task, dispute.opened_at, dispute.closed_at) == (task, NOW, None)
    assert (task.status, task.answer, task.settled_at) == ("disputed", None, None)


def test_a_settled_task_keeps_its_votes_and_probabilities(task, vote):
    vote(task, "yes", "no", "yes", "yes", "yes")
    assert (task.settled_at, task.adjudicated) == (NOW, False)
    assert task.soft["votes"] == {"yes": 4, "similar": 0, "no": 1, "noise": 0}
    assert 0.75 < task.confidence == task.soft["probabilities"]["yes"] < 1


def test_a_task_asks_for_one_more_answer_at_a_time_up_to_max_annotations(task, vote):
    asked = [vote(task, answer).wanted for answer in ("yes", "no", "yes", "no", "yes", "no", "yes")]
    assert asked == [2, 3, 4, 5, 6, 7, 7]


def test_a_task_that_was_looked_at_is_not_dirty(task, vote):
    assert vote(task, "yes").dirty_since is None


def test_settling_twice_changes_nothing(task, vote):
    vote(task, "yes", "no", "yes", "no", "yes", "no", "yes")
    before = everything(task)
    settlement.settle(task.pk, LATER)
    assert everything(task) == before


def test_a_further_answer_keeps_settled_at(task, vote):
    vote(task, "yes", "yes")
    vote(task, "yes")
    settlement.settle(task.pk, LATER)
    task.refresh_from_db()
    assert (task.status, task.settled_at) == ("settled", NOW)


def test_a_task_that_is_gone_is_no_error(task):
    Task.objects.all().delete()
    assert settlement.settle(task.pk, NOW) is None


def test_a_changed_answer_opens_a_settled_task_again(task, vote, volunteers, juniper):
    vote(task, "yes", "yes")
    change(task, 0, "no")
    assert (task.status, task.answer, task.settled_at, task.wanted) == ("open", None, None, 3)
    assert len(assignments.lend(volunteers[2], juniper, 1, LATER)) == 1


def test_a_changed_answer_that_settles_a_dispute_closes_it(juniper, task, vote):
    juniper.max_annotations = 2
    juniper.save()
    vote(task, "yes", "no")
    change(task, 0, "no")
    assert (task.status, task.answer, task.settled_at) == ("settled", "no", LATER)
    assert not ReviewItem.objects.open().exists()


def test_a_late_answer_can_open_a_settled_task_again(task, vote):
    vote(task, "yes", "yes")
    assert vote(task, "no").status == "open"
    assert vote(task, "yes", "yes").answer == "yes"


def test_what_a_reviewer_decided_stays_after_further_answers(task, vote):
    vote(task, "yes", "yes")
    Task.objects.update(status="settled", plain_answer="noise", adjudicated=True)
    vote(task, "yes")
    assert (task.status, task.answer, task.dirty_since) == ("settled", "noise", None)


def test_transcripts_settle_on_their_normalised_form(sentence, vote):
    vote(sentence, "Turn on, the lights!", "turn on the LIGHTS")
    assert (sentence.status, sentence.answer) == ("settled", "turn on the lights")
    assert 0.75 < sentence.confidence < 1


def test_transcripts_that_differ_a_lot_ask_for_another_answer(sentence, vote):
    vote(sentence, "turn on the lights", "burn all the kites")
    assert (sentence.status, sentence.answer, sentence.wanted) == ("open", None, 3)


def test_an_empty_transcript_can_be_settled(sentence, vote):
    vote(sentence, "", "")
    assert (sentence.status, sentence.answer) == ("settled", "")


@pytest.mark.django_db(transaction=True)
def test_an_answer_that_comes_while_its_task_is_settled_is_counted(
    volunteers, juniper, task, in_background, lock_is_awaited, monkeypatch
):
    """The first answer is being settled and the votes were read when the second one arrives."""
    bea, carl, *_ = volunteers
    [hers], [his] = assignments.lend(bea, juniper, 1, NOW), assignments.lend(carl, juniper, 1, NOW)
    weigh, others = settlement.certificates.make, []

    def second_answer():
        assignments.hand_in(carl, his.pk, "yes", NOW)
        settlement.settle(task.pk, NOW)

    def weigh_slowly(*votes_and_rule):
        found = weigh(*votes_and_rule)
        if not others:
            others.append(in_background(second_answer))
            assert eventually(lambda: others[0].done() or lock_is_awaited())
        return found

    monkeypatch.setattr(settlement.certificates, "make", weigh_slowly)
    assignments.hand_in(bea, hers.pk, "yes", NOW)
    settlement.settle(task.pk, NOW)
    others[0].result()
    task.refresh_from_db()
    assert (task.status, task.answer, task.dirty_since) == ("settled", "yes", None)


@pytest.mark.django_db(transaction=True)
def test_last_answers_that_arrive_together_close_the_task(volunteers, juniper, add_tasks, run_together):
    def hand_in_and_settle(person, lent):
        assignments.hand_in(person, lent.pk, "yes", NOW)
        settlement.settle(lent.task_id, NOW)

    add_tasks(juniper, 20)
    bea, carl, *_ = volunteers
    hers = assignments.lend(bea, juniper, 20, NOW)
    for mine, lent in zip(hers, assignments.lend(carl, juniper, 20, NOW), strict=True):
        done = run_together(lambda: hand_in_and_settle(bea, mine), lambda: hand_in_and_settle(carl, lent))  # noqa: B023
        assert done == [None, None]
    assert not Task.objects.exclude(status="settled", annotation_count=2, dirty_since=None).exists()


@pytest.mark.thorough
@pytest.mark.parametrize("seed", range(6))
def test_after_any_acts_the_counters_match_the_rows(seed, volunteers, juniper, add_tasks):
    juniper.min_annotations, juniper.max_annotations = 2, 4
    juniper.save()
    add_tasks(juniper, 4)
    walk = Walk(seed, volunteers, juniper)
    for _ in range(150):
        walk.step()
        walk.check_counters()
    for task in Task.objects.all():
        settlement.settle(task.pk, walk.now)
        walk.check_verdict(task)
    assert {"lend", "hand_in", "skip", "change", "reclaim", "settle"} <= walk.done.keys()


class Walk:
    """Seven people act in random order while time passes."""

    def __init__(self, seed, people, campaign):
        self.random, self.people, self.campaign, self.now = Random(seed), people, campaign, NOW
        self.done = Counter()
        self.acts = [self.lend] * 6 + [self.hand_in] * 6 + [self.change, self.reclaim, self.settle] * 2
        self.acts += [self.skip, self.report]

    def step(self):
        self.now += self.random.choice([timedelta(0), settings.LEASE / 10, settings.LEASE])
        act = self.random.choice(self.acts)
        try:
            act(self.random.choice(self.people))
        except AnswerRefused:
            return
        self.done[act.__name__] += 1

    def lend(self, person):
        assignments.lend(person, self.campaign, self.random.randint(1, 3), self.now)

    def hand_in(self, person):
        for lent in self.one_of(person.assignments):
            assignments.hand_in(person, lent.pk, self.random.choice(Label.values), self.now)

    def skip(self, person):
        for lent in self.one_of(person.assignments):
            assignments.skip(person, lent.pk, self.now)

    def report(self, person):
        """Once alone, for what is hidden takes no more answers."""
        if not Assignment.objects.filter(state="reported").exists():
            for lent in self.one_of(person.assignments):
                assignments.report(person, lent.pk, "audio", self.now)

    def change(self, person):
        for annotation in self.one_of(person.annotations):
            assignments.change(person, annotation.pk, self.random.choice(Label.values), self.now)

    def reclaim(self, person):
        leases.reclaim(self.now)

    def settle(self, person):
        for task in self.one_of(Task.objects):
            settlement.settle(task.pk, self.now)
            self.check_verdict(task)

    def one_of(self, rows):
        """One of them, at random, or none."""
        found = list(rows.order_by("id"))
        return [self.random.choice(found)] if found else []

    def check_counters(self):
        given = Counter(Annotation.objects.values_list("task", flat=True))
        lent = Counter(Assignment.objects.filter(state="lent").values_list("task", flat=True))
        for task in Task.objects.all():
            assert (task.annotation_count, task.lent_count) == (given[task.pk], lent[task.pk])
            assert task.annotation_count + task.lent_count <= self.campaign.max_annotations

    def check_verdict(self, task):
        task.refresh_from_db()
        votes = [Vote(*vote) for vote in task.annotations.values_list("annotator", "plain_answer")]
        found = labels.decide(votes, Rule(2, 4, self.campaign.confidence), Label.values)
        status = {"more": "open"}.get(found.outcome, found.outcome)
        assert (task.status, task.confidence, task.soft) == (status, found.confidence, found.soft)
        assert task.answer == (found.answer if status == "settled" else None)
        assert ReviewItem.objects.open().filter(task=task).exists() == (status == "disputed")
