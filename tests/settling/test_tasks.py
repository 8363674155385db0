"""The broker is a hint: what is sent to it, when, and that no answer depends on it."""

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
def lent(bea, juniper, add_tasks):
    add_tasks(juniper, 2)
    return assignments.lend(bea, juniper, 2, NOW)


@pytest.fixture
def handed_in(bea, lent):
    """Answered, and not settled yet."""
    return [assignments.hand_in(bea, one.pk, "yes", NOW)[0].task for one in lent]


@pytest.fixture(autouse=True)
def broker(monkeypatch):
    """The broker, empty: no request was sent yet."""
    with redis.Redis.from_url(settings.REDIS_URL) as broker:
        broker.delete("celery", queue.PENDING)
        monkeypatch.setattr(queue, "_sent_at", -queue.DELAY)
        yield broker


@pytest.fixture
def queued(broker):
    def names():
        """The messages in the broker, as (task, arguments)."""
        messages = [json.loads(message) for message in broker.lrange("celery", 0, -1)]
        return [(each["headers"]["task"], json.loads(base64.b64decode(each["body"]))[0]) for each in messages]

    return names


SETTLE = ("tagger.tasks.settle", [])


def waiting():
    """The tasks that are not settled yet."""
    return list(Task.objects.exclude(dirty_since=None).order_by("id").values_list("pk", flat=True))


def test_settling_is_requested_after_the_commit_and_not_before(
    bea, lent, queued, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks() as callbacks:
        assignments.hand_in(bea, lent[0].pk, "yes", NOW)
        assert queued() == []
    assert len(callbacks) == 1
    callbacks[0]()
    assert queued() == [SETTLE]


def test_the_same_answer_again_requests_nothing(bea, lent, django_capture_on_commit_callbacks):
    assignments.hand_in(bea, lent[0].pk, "yes", NOW)
    with django_capture_on_commit_callbacks() as callbacks:
        assignments.hand_in(bea, lent[0].pk, "yes", NOW)
    assert callbacks == []


def test_a_changed_answer_requests_settling(bea, lent, django_capture_on_commit_callbacks):
    annotation, _ = assignments.hand_in(bea, lent[0].pk, "yes", NOW)
    with django_capture_on_commit_callbacks() as callbacks:
        assignments.change(bea, annotation.pk, "no", NOW)
    assert len(callbacks) == 1


@pytest.mark.django_db(transaction=True)
def test_an_answer_that_was_rolled_back_requests_nothing(bea, lent, queued):
    with transaction.atomic():
        assignments.hand_in(bea, lent[0].pk, "yes", NOW)
        transaction.set_rollback(True)
    assert queued() == []
    assignments.hand_in(bea, lent[0].pk, "yes", NOW)
    assert queued() == [SETTLE]


@mutant(
    "what is stored after a worker began is requested again",
    "tagger/settling/queue.py",
    kept_by="    _redis().delete(PENDING)",
    broken="    _redis().exists(PENDING)",
)
@pytest.mark.django_db(transaction=True)
def test_settling_is_requested_once_until_a_worker_begins(bea, lent, queued, monkeypatch):
    assignments.hand_in(bea, lent[0].pk, "yes", NOW)
    assignments.hand_in(bea, lent[1].pk, "yes", NOW)
    assert queued() == [SETTLE]
    assert tasks.settle() == 2
    monkeypatch.setattr(queue, "_sent_at", -queue.DELAY)  # as after a while
    assignments.change(bea, Annotation.objects.latest("pk").pk, "no", NOW)
    assert queued() == [SETTLE, SETTLE]


@pytest.mark.django_db(transaction=True)
def test_if_the_broker_lost_the_request_the_next_one_may_be_sent_soon(bea, lent, broker):
    assignments.hand_in(bea, lent[0].pk, "yes", NOW)
    assert 0 < broker.ttl(queue.PENDING) <= 5


@pytest.mark.django_db(transaction=True)
def test_a_worker_settles_what_was_handed_in(volunteers, juniper, add_tasks):
    [task] = add_tasks(juniper, 1)
    lent = [assignments.lend(person, juniper, 1, timezone.now())[0] for person in volunteers[:2]]
    with start_worker(app, pool="solo", perform_ping_check=False, loglevel="ERROR"):
        for person, one in zip(volunteers, lent, strict=False):
            assignments.hand_in(person, one.pk, "yes", timezone.now())
        assert eventually(lambda: Task.objects.get().status == "settled")
    task.refresh_from_db()
    assert (task.answer, task.dirty_since) == ("yes", None)


@pytest.mark.django_db(transaction=True)
def test_an_unreachable_broker_costs_a_volunteer_neither_the_answer_nor_time(
    lent, site_environment, tmp_path
):
    """In a separate process, whose broker is a missing socket; kombu's own retries would take 6 s."""
    away = site_environment | {
        "REDIS_URL": f"unix://{tmp_path}/missing.sock?db=0",
        "DJANGO_SETTINGS_MODULE": "tagger.settings",
    }
    command = [sys.executable, "-c", ANSWER_TWO, *[str(one.pk) for one in lent]]
    done = subprocess.run(command, cwd=ROOT, env=away, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    answered = [line.split() for line in done.stdout.splitlines()]
    assert [is_new for is_new, _ in answered] == ["True", "True"]
    assert max(float(seconds) for _, seconds in answered) < 2
    assert "missing.sock" in done.stderr
    assert waiting() == sorted(one.task_id for one in lent)
    Task.objects.update(dirty_since=NOW)
    assert tasks.settle() == 2
    assert waiting() == []


@mutant(
    "an answer is settled even if the broker lost its message",
    "tagger/tasks.py",
    kept_by="settlement.settle_waiting(timezone.now(), BATCH_SIZE, failed)",
    broken="[]",
)
def test_answers_whose_message_was_lost_are_settled_from_the_database(handed_in, carl, juniper):
    for task in handed_in:
        Annotation.objects.create(task=task, annotator=carl, answer="yes", created_at=NOW)
        Task.objects.filter(pk=task.pk).update(annotation_count=2)
    assert tasks.settle() == 2
    assert set(Task.objects.values_list("status", "plain_answer", "dirty_since")) == {
        ("settled", "yes", None)
    }


def test_settling_again_finds_nothing(handed_in):
    assert (tasks.settle(), tasks.settle()) == (2, 0)


def test_settling_many_tasks_takes_as_many_queries_as_few(
    bea, juniper, add_tasks, django_assert_num_queries, settings
):
    """Savepoint, tasks, campaigns, annotations, crowd, update, disputes to delete, release."""
    settings.NEWCOMERS_LENDING_QUOTA = 0
    for number in (2, 40):
        add_tasks(juniper, number)
        for lent in assignments.lend(bea, juniper, number, NOW):
            assignments.hand_in(bea, lent.pk, "yes", NOW)
        with django_assert_num_queries(9):
            assert len(settlement.settle_waiting(NOW, 50)) == number


@mutant(
    "one task that cannot be settled does not block the others",
    "tagger/settling/settlement.py",
    kept_by="            failed.append(task_id)\n",
    broken="            raise\n",
)
def test_a_task_that_cannot_be_settled_does_not_block_the_others(handed_in, monkeypatch, caplog):
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
def test_workers_in_parallel_pass_over_tasks_that_another_has_locked(handed_in, in_background):
    locked, free = sorted(task.pk for task in handed_in)
    with transaction.atomic():
        Task.objects.select_for_update().get(pk=locked)
        assert in_background(lambda: settlement.settle_waiting(NOW, 50)).result() == [free]
    assert waiting() == [locked]


def test_settling_a_task_that_is_gone_is_no_error(handed_in):
    gone = handed_in[0].pk
    Annotation.objects.all().delete()
    Task.objects.all().delete()
    assert settlement.settle(gone, NOW) is None


def test_settling_twice_is_settling_once(handed_in):
    for _ in range(2):
        settlement.settle(handed_in[0].pk, NOW)
    assert waiting() == [handed_in[1].pk]


def test_the_task_reclaims_leases_that_ran_out(carl, lent, juniper, add_tasks):
    add_tasks(juniper, 1)
    assignments.lend(carl, juniper, 3, timezone.now())
    assert tasks.reclaim() == 2
    assert set(Assignment.objects.filter(state="lent").values_list("annotator", flat=True)) == {carl.pk}
    assert tasks.reclaim() == 0


def test_the_worker_knows_every_task_that_beat_sends():
    app.loader.import_default_modules()  # as a worker does when it starts
    sent = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert {"tagger.tasks.settle", "tagger.tasks.reclaim"} <= sent <= set(app.tasks)


def test_a_sweep_runs_at_least_every_thirty_seconds():
    assert settings.CELERY_BEAT_SCHEDULE["sweep"]["schedule"] <= timedelta(seconds=30)


IMPORTED = """
import sys
import django; django.setup()
from django.urls import get_resolver
get_resolver().url_patterns
print(*sorted({name.split(".")[0] for name in sys.modules} & {"numpy", "scipy", "wordfreq"}))
"""


def test_a_web_process_requests_settling_without_loading_the_engine():
    """Its word lists and matrices would take half of the time and memory of a start."""
    env = os.environ | {"DJANGO_SETTINGS_MODULE": "tagger.settings"}
    done = subprocess.run([sys.executable, "-c", IMPORTED], cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.stdout.split() == ["numpy"], done.stderr
