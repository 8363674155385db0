"""The people who answer in a campaign, for its owner: every number against an independent count."""

from collections import Counter
from datetime import timedelta
from itertools import combinations, pairwise
from random import Random
from statistics import median

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from datasets.models import Annotation, Task
from tagger import turns
from tagger.consensus.intervals import wilson
from tagger.explorer import counting, people
from tagger.models import Assignment, Control, PairFigures, PersonFigures, PersonWeight
from tests.conftest import NOW
from tests.support.mutants import mutant

pytestmark = pytest.mark.django_db


@pytest.fixture
def crowd(hers, add_tasks, volunteers):
    """So many tasks, answered by chance, some settled, a tenth of them controls."""

    def make(number):
        dice, at, given = Random(3), NOW, []
        for place, task in enumerate(add_tasks(hers, number)):
            some = dice.sample(volunteers, dice.randint(1, 4))
            for person in some:
                at += timedelta(seconds=dice.choice([4, 9, 30, 4_000]))
                said = dice.choice(["yes", "yes", "no", "similar"])
                given.append(Annotation(task=task, annotator=person, plain_answer=said, created_at=at))
            is_settled = dice.random() < 0.7
            Task.objects.filter(pk=task.pk).update(
                annotation_count=len(some),
                status="settled" if is_settled else "open",
                plain_answer=dice.choice(["yes", "no"]) if is_settled else None,
                confidence=dice.choice([0.8, 0.95]),
            )
            if place % 10 == 0:
                Control.objects.create(task=task, campaign=hers, plain_answer="yes", since=NOW)
                for person in some:
                    Assignment.objects.create(
                        **{"task": task, "annotator": person, "role": "control", "state": "done"},
                        **{"lent_at": NOW, "expires_at": NOW},
                    )
        Annotation.objects.bulk_create(given, batch_size=10_000)

    return make


def count(campaign):
    assert counting.count(campaign, lambda: NOW)


def by_task(given):
    found = {}
    for each in given:
        found.setdefault(each.task_id, []).append(each)
    return found.values()


@pytest.mark.parametrize("number", [10, 1_000, pytest.param(100_000, marks=pytest.mark.in_full)])
def test_every_number_is_that_of_an_independent_count(hers, crowd, volunteers, number):
    crowd(number)
    count(hers)
    given = list(Annotation.objects.select_related("task"))
    found = {row.person_id: row for row in PersonFigures.objects.all()}
    controls = set(Control.objects.values_list("task", flat=True))
    assert set(found) == {each.annotator_id for each in given}
    for who, row in found.items():
        own = sorted((each for each in given if each.annotator_id == who), key=lambda each: each.created_at)
        settled = [each for each in own if each.task.status == "settled"]
        same = [each for each in settled if each.plain_answer == each.task.plain_answer]
        known = [each for each in settled if each.task.confidence >= 0.9 and each.task_id in controls]
        right = [each for each in known if each.plain_answer == each.task.plain_answer]
        assert (row.answers, row.compared, row.agreed) == (len(own), len(settled), len(same))
        days = {each.created_at.date() for each in own}
        assert (row.days, row.last_on) == (len(days), max(days))
        assert (row.controls, row.controls_right) == (len(known), len(right))
        assert row.most_given == max(Counter(each.plain_answer for each in own).values())
        gaps = [(after.created_at - before.created_at).total_seconds() for before, after in pairwise(own)]
        short = [gap for gap in gaps if gap <= 300]
        assert row.seconds_each == (pytest.approx(median(short)) if short else None)
        told = Counter((each.task.plain_answer, each.plain_answer) for each in settled)
        stored = {(one, two): n for one, of in row.confusion.items() for two, n in of.items()}
        assert stored == dict(told)
    both, alike = Counter(), Counter()
    for of_task in by_task(given):
        for one, other in combinations(sorted(of_task, key=lambda each: each.annotator_id), 2):
            both[one.annotator_id, other.annotator_id] += 1
            alike[one.annotator_id, other.annotator_id] += one.plain_answer == other.plain_answer
    pairs = {(row.one_id, row.other_id): (row.both, row.same) for row in PairFigures.objects.all()}
    assert pairs == {pair: (times, alike[pair]) for pair, times in both.items()}


def test_the_page_shows_shares_with_their_intervals_and_numbers_instead_of_names(
    as_olga, hers, crowd, volunteers
):
    crowd(40)
    count(hers)
    answered = as_olga.get(reverse("campaign_people", args=[hers.slug]))
    text = answered.content.decode()
    first = answered.context["page"].people[0]
    low, high = wilson(first.figures.controls_right, first.figures.controls)
    assert first.controls.interval == (round(100 * low), round(100 * high))
    assert f"volunteer {first.number}" in text and "Share of the same answers" in text
    assert not any(person.pseudonym in text for person in volunteers)
    answers = [each.figures.answers for each in answered.context["page"].people]
    assert answers == sorted(answers, reverse=True)


def test_the_page_takes_as_many_statements_for_few_as_for_many(as_olga, hers, crowd):
    counts = []
    for number in (10, 300):
        crowd(number)
        count(hers)
        with CaptureQueriesContext(connection) as captured:
            assert as_olga.get(reverse("campaign_people", args=[hers.slug])).status_code == 200
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 20


def test_pages_of_people(as_olga, hers, crowd, monkeypatch):
    monkeypatch.setattr(people, "PAGE", 3)
    crowd(40)
    count(hers)
    seen = []
    for number in (1, 2, 3):
        answered = as_olga.get(reverse("campaign_people", args=[hers.slug], query={"page": number}))
        seen += [each.number for each in answered.context["page"].people]
    assert len(seen) == len(set(seen)) == PersonFigures.objects.count()
    assert as_olga.get(reverse("campaign_people", args=[hers.slug], query={"page": "²"})).status_code == 200


def test_transcripts_are_compared_in_normal_form(texts, share, answer, volunteers):
    task = answer(share(texts), "Turn on the lights", "turn on the lights!", "turn of the lights")
    Task.objects.filter(pk=task.pk).update(status="settled")
    task.answer, task.status = "turn on the lights", "settled"
    task.save()
    count(texts)
    found = {row.person_id: (row.compared, row.agreed) for row in PersonFigures.objects.all()}
    assert [found[person.pk] for person in volunteers[:3]] == [(1, 1), (1, 1), (1, 0)]
    [pair] = PairFigures.objects.filter(one=volunteers[0], other=volunteers[1])
    assert (pair.both, pair.same) == (1, 1)


def test_a_person_has_a_page_with_what_they_confuse(as_olga, hers, crowd, volunteers, admin_user):
    crowd(60)
    count(hers)
    bea = volunteers[0]
    text = as_olga.get(reverse("campaign_person", args=[hers.slug, bea.pk])).content.decode()
    assert "Share of their answers" in text and f"answered_by={bea.pk}" in text
    assert reverse("admin:accounts_user_change", args=[bea.pk]) not in text
    as_olga.force_login(admin_user)
    text = as_olga.get(reverse("campaign_person", args=[hers.slug, bea.pk])).content.decode()
    assert reverse("admin:accounts_user_change", args=[bea.pk]) in text


def test_someone_who_did_not_answer_here_has_no_page(as_olga, hers, crowd, sam):
    crowd(10)
    count(hers)
    for pk in (sam.pk, 2**40):
        assert as_olga.get(reverse("campaign_person", args=[hers.slug, pk])).status_code == 404
    refused = as_olga.post(
        reverse("campaign_person_weight", args=[hers.slug, sam.pk]), {"factor": "0", "note": ""}
    )
    assert refused.status_code == 404 and not PersonWeight.objects.exists()


def test_the_owner_changes_a_weight_on_the_page(as_olga, hers, crowd, volunteers):
    crowd(20)
    count(hers)
    bea = volunteers[0]
    address = reverse("campaign_person_weight", args=[hers.slug, bea.pk])
    text = as_olga.post(address, {"factor": "0.5", "note": "often too fast"}, follow=True).content.decode()
    assert "counts half" in text and "often too fast" in text
    for factor, note in (("3", ""), ("nan", ""), ("", ""), ("0", "call 0123 456789"), ("0", "x" * 141)):
        assert as_olga.post(address, {"factor": factor, "note": note}).status_code == 400
    assert PersonWeight.objects.get().factor == 0.5


@mutant(
    "nothing is counted of a person who left meanwhile",
    "tagger/explorer/counting.py",
    kept_by="    own.filter(person__username__startswith=GONE).delete()\n",
    broken="",
)
def test_nothing_is_stored_of_a_person_who_left_meanwhile(hers, crowd, volunteers, monkeypatch):
    crowd(10)
    rows = counting._of_answers

    def left_after_reading(values):
        found = rows(values)
        gone = User.objects.get(pk=next(iter(found)))
        gone.forget()
        return found

    monkeypatch.setattr(counting, "_of_answers", left_after_reading)
    count(hers)
    gone = User.objects.filter(is_active=False).get()
    assert PersonFigures.objects.exists()
    assert not PersonFigures.objects.filter(person=gone).exists()
    assert not PairFigures.objects.filter(one=gone).exists()
    assert not PairFigures.objects.filter(other=gone).exists()


def test_counting_is_done_by_one_worker_at_a_time(hers, crowd):
    count(hers)
    hers.people_count.refresh_from_db()
    hers.people_count.claimed_at = NOW
    hers.people_count.save()
    assert counting.count(hers, lambda: NOW) is False
    assert counting.count(hers, lambda: NOW + 2 * turns.LONGEST_COUNT) is True
    assert counting.count_due(lambda: NOW + 3 * turns.LONGEST_COUNT) == 1
    assert counting.count_due(lambda: NOW + 3 * turns.LONGEST_COUNT) == 0


def test_programs_read_the_people(as_olga, hers, crowd):
    crowd(20)
    count(hers)
    read = as_olga.get("/api/v1/campaigns/juniper/people/").json()
    assert len(read["people"]) == PersonFigures.objects.count() and not read["has_more"]
    first = PersonFigures.objects.order_by("-answers", "person").first()
    assert (read["people"][0]["person"], read["people"][0]["answers"]) == (first.person_id, first.answers)
    assert as_olga.get("/api/v1/campaigns/juniper/people/?page=x").status_code == 400
