"""Many people at the same moment: real threads, real transactions."""

from collections import Counter
from datetime import timedelta
from itertools import chain

import pytest
from django.db import transaction
from django.db.models import F

from accounts.models import User
from datasets.models import Annotation, Task
from tagger.lending import assignments, candidates, leases
from tagger.lending.refusals import AnswerRefusal
from tagger.models import Assignment
from tests.conftest import NOW
from tests.support.mutants import mutant
from tests.support.site import eventually

pytestmark = pytest.mark.django_db(transaction=True)


def borrow(person, campaign, count=1, now=NOW):
    return lambda: [lent.task_id for lent in assignments.lend(person, campaign, count, now)]


def borrowed(*given):
    """All tasks that several calls borrowed."""
    return list(chain.from_iterable(given))


def hand_in(person, lent, answer="yes", now=NOW):
    return lambda: assignments.hand_in(person, lent.pk, answer, now)


def counters_are_true():
    """Whether every task's counters match its rows."""
    lent = Counter(Assignment.objects.filter(state="lent").values_list("task", flat=True))
    given = Counter(Annotation.objects.values_list("task", flat=True))
    return all(
        (task.annotation_count, task.lent_count) == (given[task.pk], lent[task.pk])
        for task in Task.objects.all()
    )


def expire(lent):
    """The lease runs out and is reclaimed."""
    Assignment.objects.filter(pk=lent.pk).update(state="expired")
    Task.objects.filter(pk=lent.task_id).update(lent_count=F("lent_count") - 1)


@pytest.fixture
def lent(bea, juniper, add_tasks):
    add_tasks(juniper, 1)
    return assignments.lend(bea, juniper, 1, NOW)[0]


def test_twenty_tabs_of_one_person_never_borrow_the_same_task(
    bea, juniper, add_tasks, run_together, settings
):
    settings.NEWCOMERS_LENDING_QUOTA = 0
    add_tasks(juniper, 100)
    tasks = borrowed(*chain(*[run_together(*[borrow(bea, juniper)] * 20) for _ in range(4)]))
    assert len(tasks) == len(set(tasks)) == 80
    assert counters_are_true()


def test_lending_waits_for_tasks_that_are_being_settled(
    bea, juniper, add_tasks, in_background, lock_is_awaited
):
    add_tasks(juniper, 3)
    with transaction.atomic():
        list(Task.objects.select_for_update())
        lent = in_background(lambda: assignments.lend(bea, juniper, 3, NOW))
        assert eventually(lock_is_awaited)
    assert len(lent.result()) >= 1


@mutant(
    "two tabs of one person never borrow the same task",
    "tagger/lending/assignments.py",
    kept_by="        if not _lock_annotator(annotator):\n            return []\n        allowed",
    broken="        allowed",
)
def test_the_tabs_of_one_person_together_borrow_at_most_the_limit(
    bea, juniper, add_tasks, run_together, monkeypatch
):
    monkeypatch.setattr(assignments, "MAX_LEASES", 5)
    add_tasks(juniper, 40)
    assert len(borrowed(*run_together(*[borrow(bea, juniper, 2)] * 8))) == 5


def test_the_tabs_of_one_person_together_keep_to_the_cap(bea, juniper, add_tasks, run_together):
    juniper.contributor_cap = 3
    add_tasks(juniper, 40)
    assert len(borrowed(*run_together(*[borrow(bea, juniper, 2)] * 8))) == 3


@mutant(
    "no task is lent to more people than are wanted",
    "tagger/lending/candidates.py",
    kept_by="    LIMIT %s FOR NO KEY UPDATE OF task ",
    broken="    LIMIT %s -- ",
)
def test_a_crowd_is_never_lent_more_places_than_are_wanted(juniper, add_tasks, run_together):
    add_tasks(juniper, 30)
    crowd = User.objects.bulk_create([User(username=f"person {n}") for n in range(200)])
    tasks = borrowed(*run_together(*[borrow(person, juniper) for person in crowd], threads=16))
    assert max(Counter(tasks).values()) == 2
    assert not Task.objects.filter(wanted__lt=F("annotation_count") + F("lent_count")).exists()
    assert counters_are_true()


def test_places_that_a_crowd_missed_while_rows_were_locked_are_lent_afterwards(
    juniper, add_tasks, run_together
):
    add_tasks(juniper, 3)
    crowd = User.objects.bulk_create([User(username=f"person {n}") for n in range(40)])
    crowded = run_together(*[borrow(person, juniper) for person in crowd], threads=16)
    afterwards = [borrow(person, juniper, 3)() for person in crowd]
    lent = Counter(borrowed(*crowded, *afterwards))
    assert lent == {task.pk: task.wanted for task in Task.objects.all()}


def test_a_double_click_stores_one_answer(bea, lent, run_together):
    (one, _), (other, _) = done = run_together(hand_in(bea, lent), hand_in(bea, lent))
    assert one == other
    assert sorted(is_new for _, is_new in done) == [False, True]
    assert (Annotation.objects.count(), counters_are_true()) == (1, True)


def test_of_two_answers_together_one_is_stored_and_the_other_refused(bea, lent, run_together):
    done = run_together(hand_in(bea, lent, "yes"), hand_in(bea, lent, "no"))
    [refused] = [result for result in done if isinstance(result, Exception)]
    assert refused.code == AnswerRefusal.ANSWERED_DIFFERENTLY
    assert (Annotation.objects.count(), counters_are_true()) == (1, True)


def test_of_an_answer_and_a_skip_together_one_is_refused(bea, lent, run_together):
    done = run_together(hand_in(bea, lent), lambda: assignments.skip(bea, lent.pk, NOW))
    [refused] = [result for result in done if isinstance(result, Exception)]
    assert refused.code in {AnswerRefusal.ALREADY_ANSWERED, AnswerRefusal.ALREADY_SKIPPED}
    assert counters_are_true()


def test_an_answer_that_comes_while_its_lease_is_reclaimed_is_stored(bea, lent, run_together):
    late = NOW + timedelta(days=1)
    done = run_together(hand_in(bea, lent, now=late), lambda: leases.reclaim(late))
    assert not [result for result in done if isinstance(result, Exception)]
    assert (Assignment.objects.get().state, Annotation.objects.count()) == ("done", 1)
    assert counters_are_true()


def test_many_workers_reclaim_each_lease_once(volunteers, juniper, add_tasks, run_together):
    add_tasks(juniper, 20)
    for person in volunteers[:2]:
        assignments.lend(person, juniper, 20, NOW)
    late = NOW + timedelta(days=1)
    assert sum(run_together(*[lambda: leases.reclaim(late)] * 4)) == 40
    assert counters_are_true()


def test_reclaiming_waits_for_no_one(bea, juniper, add_tasks, in_background):
    busy, _ = add_tasks(juniper, 2)
    assignments.lend(bea, juniper, 2, NOW)
    late = NOW + timedelta(days=1)
    with transaction.atomic():
        Task.objects.select_for_update().get(pk=busy.pk)
        assert in_background(lambda: leases.reclaim(late)).result(timeout=30) == 1
    assert leases.reclaim(late) == 1
    assert counters_are_true()


def test_the_last_place_is_not_given_to_two_late_answers(volunteers, juniper, add_tasks, run_together):
    juniper.min_annotations = juniper.max_annotations = 1
    juniper.save()
    bea, carl, *_ = volunteers
    add_tasks(juniper, 1)
    [hers] = assignments.lend(bea, juniper, 1, NOW)
    expire(hers)
    [his] = assignments.lend(carl, juniper, 1, NOW)
    expire(his)
    done = run_together(hand_in(bea, hers), hand_in(carl, his))
    [refused] = [result for result in done if isinstance(result, Exception)]
    assert refused.code == AnswerRefusal.TOO_LATE
    assert (Annotation.objects.count(), counters_are_true()) == (1, True)


def test_an_answer_that_waits_for_a_task_has_locked_nothing_that_lending_needs(
    bea, lent, in_background, lock_is_awaited
):
    """Lending locks the task and then writes its assignment: the other way round would deadlock."""
    expire(lent)
    with transaction.atomic():
        Task.objects.select_for_update().get()
        answer = in_background(hand_in(bea, lent))
        assert eventually(lock_is_awaited)
        Assignment.objects.select_for_update(nowait=True).get()
    assert answer.result()


@pytest.mark.parametrize(
    ("act", "state"),
    [
        (lambda bea, pk: assignments.skip(bea, pk, NOW), "skipped"),
        (lambda bea, pk: assignments.report(bea, pk, "audio", NOW), "reported"),
        (lambda bea, pk: assignments.hand_in(bea, pk, "yes", NOW), "done"),
    ],
    ids=["skip", "report", "answer"],
)
def test_a_late_act_waits_for_lending_and_its_task_is_not_lent_again(
    bea, juniper, lent, in_background, lock_is_awaited, monkeypatch, act, state
):
    """A search that is running still sees the assignment as expired: its task must not be found unlocked."""
    expire(lent)
    search, closing = candidates.find, []

    def running_search(*args):
        closing.append(in_background(lambda: act(bea, lent.pk)))
        assert eventually(lambda: closing[0].done() or lock_is_awaited())
        assert not closing[0].done()
        return search(*args)

    monkeypatch.setattr(candidates, "find", running_search)
    assert assignments.lend(bea, juniper, 1, NOW) == []
    closing[0].result()
    assert Assignment.objects.get().state == state
    assert counters_are_true()
