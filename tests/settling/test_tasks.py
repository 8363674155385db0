"""The broker is a hint: what it carries, when it is told, and that nothing needs it."""

import base64
import json
import os
import subprocess
import sys
from datetime import timedelta

import pytest
import redis
from celery.contrib.testing.worker import start_worker
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from datasets.models import Annotation, Task
from tagger import tasks
from tagger.celery import app
from tagger.lending import assignments
from tagger.models import Assignment
from tagger.settling import queue, settlement
from tests.conftest import NOW
from tests.support.mutants import mutant
from tests.support.site import ROOT, eventually

ANSWER_TWO = """
import sys, time
import django; django.setup()
from django.utils import timezone
from accounts.models import User
from tagger.lending import assignments
bea = User.objects.get_by_natural_key("bea")
for assignment in sys.argv[1:]:
    started = time.monotonic()
    annotation, is_new = assignments.hand_in(bea, int(assignment), "yes", timezone.now())
    print(is_new, time.monotonic() - started)
"""


@pytest.fixture
def lent(bea, juniper, shelf):
    shelf(juniper, 2)
    return assignments.lend(bea, juniper, 2, NOW)


@pytest.fixture
def handed_in(bea, lent):
    """Answered long ago, and not settled since."""
    return [assignments.hand_in(bea, one.pk, "yes", NOW)[0].task for one in lent]


@pytest.fixture(autouse=True)
def broker(monkeypatch):
    """With nothing in it, as if nobody had asked for anything yet."""
    with redis.Redis.from_url(settings.REDIS_URL) as broker:
        broker.delete("celery", queue.ASKED)
        monkeypatch.setattr(queue, "_asked_at", -queue.GATHERED)
        yield broker


@pytest.fixture
def queued(broker):
    def names():
        """What waits in the broker, as (task, arguments)."""
        messages = [json.loads(message) for message in broker.lrange("celery", 0, -1)]
        return [(each["headers"]["task"], json.loads(base64.b64decode(each["body"]))[0]) for each in messages]

    return names


ASKED = ("tagger.tasks.settle", [])


def waiting():
    """Tasks that nobody settled yet."""
    return list(Task.objects.exclude(dirty_since=None).order_by("id").values_list("pk", flat=True))


def test_settling_is_asked_for_after_the_commit_and_not_before(
    bea, lent, queued, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks() as callbacks:
        assignments.hand_in(bea, lent[0].pk, "yes", NOW)
        assert queued() == []
    assert len(callbacks) == 1
    callbacks[0]()
    assert queued() == [ASKED]


def test_the_same_answer_again_asks_for_nothing(bea, lent, django_capture_on_commit_callbacks):
    assignments.hand_in(bea, lent[0].pk, "yes", NOW)
    with django_capture_on_commit_callbacks() as callbacks:
        assignments.hand_in(bea, lent[0].pk, "yes", NOW)
    assert callbacks == []


def test_a_changed_answer_asks_for_settling(bea, lent, django_capture_on_commit_callbacks):
    annotation, _ = assignments.hand_in(bea, lent[0].pk, "yes", NOW)
    with django_capture_on_commit_callbacks() as callbacks:
        assignments.change(bea, annotation.pk, "no", NOW)
    assert len(callbacks) == 1


@pytest.mark.django_db(transaction=True)
def test_an_answer_that_was_rolled_back_asks_for_nothing(bea, lent, queued):
    with transaction.atomic():
        assignments.hand_in(bea, lent[0].pk, "yes", NOW)
        transaction.set_rollback(True)
    assert queued() == []
    assignments.hand_in(bea, lent[0].pk, "yes", NOW)
    assert queued() == [ASKED]


@mutant(
    "what is stored after a worker began is asked for anew",
    "tagger/settling/queue.py",
    kept_by="    _redis().delete(ASKED)",
    broken="    _redis().exists(ASKED)",
)
@pytest.mark.django_db(transaction=True)
def test_settling_is_asked_for_once_until_somebody_begins(bea, lent, queued, monkeypatch):
    assignments.hand_in(bea, lent[0].pk, "yes", NOW)
    assignments.hand_in(bea, lent[1].pk, "yes", NOW)
    assert queued() == [ASKED]
    assert tasks.settle() == 2
    monkeypatch.setattr(queue, "_asked_at", -queue.GATHERED)  # time goes by
    assignments.change(bea, Annotation.objects.latest("pk").pk, "no", NOW)
    assert queued() == [ASKED, ASKED]


@pytest.mark.django_db(transaction=True)
def test_when_the_broker_lost_the_asking_others_may_ask_again_soon(bea, lent, broker):
    assignments.hand_in(bea, lent[0].pk, "yes", NOW)
    assert 0 < broker.ttl(queue.ASKED) <= 5


@pytest.mark.django_db(transaction=True)
def test_a_worker_settles_what_was_handed_in(volunteers, juniper, shelf):
    [task] = shelf(juniper, 1)
    lent = [assignments.lend(person, juniper, 1, timezone.now())[0] for person in volunteers[:2]]
    with start_worker(app, pool="solo", perform_ping_check=False, loglevel="ERROR"):
        for person, one in zip(volunteers, lent, strict=False):
            assignments.hand_in(person, one.pk, "yes", timezone.now())
        assert eventually(lambda: Task.objects.get().status == "settled")
    task.refresh_from_db()
    assert (task.answer, task.dirty_since) == ("yes", None)


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_away_costs_a_volunteer_neither_the_answer_nor_time(
    lent, site_environment, tmp_path
):
    """In a process of its own, whose broker is a socket that is not there; kombu's own retries take 6 s."""
    away = site_environment | {
        "REDIS_URL": f"unix://{tmp_path}/nobody.sock?db=0",
        "DJANGO_SETTINGS_MODULE": "tagger.settings",
    }
    command = [sys.executable, "-c", ANSWER_TWO, *[str(one.pk) for one in lent]]
    done = subprocess.run(command, cwd=ROOT, env=away, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    answered = [line.split() for line in done.stdout.splitlines()]
    assert [is_new for is_new, _ in answered] == ["True", "True"]
    assert max(float(seconds) for _, seconds in answered) < 2
    assert "nobody.sock" in done.stderr
    assert waiting() == sorted(one.task_id for one in lent)
    Task.objects.update(dirty_since=NOW)
    assert tasks.settle() == 2
    assert waiting() == []


@mutant(
    "an answer is settled though the broker lost it",
    "tagger/tasks.py",
    kept_by="settlement.settle_waiting(timezone.now(), AT_ONCE, failed)",
    broken="[]",
)
def test_what_the_broker_lost_is_settled_from_the_database(handed_in, carl, juniper):
    for task in handed_in:
        Annotation.objects.create(task=task, annotator=carl, answer="yes", created_at=NOW)
        Task.objects.filter(pk=task.pk).update(annotation_count=2)
    assert tasks.settle() == 2
    assert set(Task.objects.values_list("status", "plain_answer", "dirty_since")) == {
        ("settled", "yes", None)
    }


def test_a_second_time_finds_nothing(handed_in):
    assert (tasks.settle(), tasks.settle()) == (2, 0)


def test_many_are_settled_by_as_many_queries_as_few(bea, juniper, shelf, django_assert_num_queries):
    """Savepoint, tasks, campaigns, annotations, the crowd, rows, what is no dispute any more, release."""
    for number in (2, 40):
        shelf(juniper, number)
        for lent in assignments.lend(bea, juniper, number, NOW):
            assignments.hand_in(bea, lent.pk, "yes", NOW)
        with django_assert_num_queries(8):
            assert len(settlement.settle_waiting(NOW, 50)) == number


@mutant(
    "one task that cannot be settled keeps no others waiting",
    "tagger/tasks.py",
    kept_by="            failed.append(task_id)\n",
    broken="            raise\n",
)
def test_one_that_cannot_be_settled_keeps_no_others_waiting(handed_in, monkeypatch, caplog):
    make, broken = settlement.certificates.make, {handed_in[0].annotations.get().pk}

    def fail(kind, given, *rest):
        if {each.pk for each in given} & broken:
            raise RuntimeError("this one breaks")
        return make(kind, given, *rest)

    monkeypatch.setattr(settlement.certificates, "make", fail)
    assert tasks.settle() == 2
    assert waiting() == [handed_in[0].pk]
    assert f"task {handed_in[0].pk} cannot be settled" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_those_who_settle_side_by_side_pass_over_what_another_holds(handed_in, in_background):
    held, free = sorted(task.pk for task in handed_in)
    with transaction.atomic():
        Task.objects.select_for_update().get(pk=held)
        assert in_background(lambda: settlement.settle_waiting(NOW, 50)).result() == [free]
    assert waiting() == [held]


def test_settling_a_task_that_is_gone_is_no_error(handed_in):
    gone = handed_in[0].pk
    Annotation.objects.all().delete()
    Task.objects.all().delete()
    assert settlement.settle(gone, NOW) is None


def test_settling_twice_is_settling_once(handed_in):
    for _ in range(2):
        settlement.settle(handed_in[0].pk, NOW)
    assert waiting() == [handed_in[1].pk]


def test_reclaiming_takes_back_what_ran_out(carl, lent, juniper, shelf):
    shelf(juniper, 1)
    assignments.lend(carl, juniper, 3, timezone.now())
    assert tasks.reclaim() == 2
    assert set(Assignment.objects.filter(state="lent").values_list("annotator", flat=True)) == {carl.pk}
    assert tasks.reclaim() == 0


def test_what_beat_sends_is_known_to_the_worker():
    app.loader.import_default_modules()  # as a worker does at its start
    sent = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert {"tagger.tasks.settle", "tagger.tasks.reclaim"} <= sent <= set(app.tasks)


def test_a_sweep_comes_round_before_anybody_wonders():
    assert settings.CELERY_BEAT_SCHEDULE["sweep"]["schedule"] <= timedelta(seconds=30)


ADDRESSES = """
import sys
import django; django.setup()
from django.urls import get_resolver
get_resolver().url_patterns
print(*sorted({name.split(".")[0] for name in sys.modules} & {"numpy", "scipy", "wordfreq"}))
"""


def test_a_web_process_asks_without_loading_what_settles():
    """Its lists of words and its matrices take half of the time and of the memory of a start."""
    env = os.environ | {"DJANGO_SETTINGS_MODULE": "tagger.settings"}
    done = subprocess.run(
        [sys.executable, "-c", ADDRESSES], cwd=ROOT, env=env, capture_output=True, text=True
    )
    assert done.stdout.split() == ["numpy"], done.stderr
