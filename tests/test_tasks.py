"""The broker is a hint: what it carries, when it is told, and that nothing needs it."""

import base64
import json
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
from tagger import assignments, tasks
from tagger.celery import app
from tagger.models import Assignment
from tests.conftest import NOW
from tests.site import ROOT, eventually

ANSWER_TWO = """
import sys, time
import django; django.setup()
from django.utils import timezone
from accounts.models import User
from tagger import assignments
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


def queued(task_id):
    """The arguments of every message about this task that waits in the broker."""
    with redis.Redis.from_url(settings.REDIS_URL) as broker:
        messages = [json.loads(message) for message in broker.lrange("celery", 0, -1)]
    bodies = [(message["headers"], json.loads(base64.b64decode(message["body"]))) for message in messages]
    return [headers["task"] for headers, (args, _, _) in bodies if args == [task_id]]


def waiting():
    """Tasks that nobody settled yet."""
    return list(Task.objects.exclude(dirty_since=None).order_by("id").values_list("pk", flat=True))


def test_settling_is_queued_after_the_commit_and_not_before(bea, lent, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as callbacks:
        assignments.hand_in(bea, lent[0].pk, "yes", NOW)
        assert queued(lent[0].task_id) == []
    assert len(callbacks) == 1
    callbacks[0]()
    assert queued(lent[0].task_id) == ["tagger.tasks.settle"]


def test_the_same_answer_again_queues_nothing(bea, lent, django_capture_on_commit_callbacks):
    assignments.hand_in(bea, lent[0].pk, "yes", NOW)
    with django_capture_on_commit_callbacks() as callbacks:
        assignments.hand_in(bea, lent[0].pk, "yes", NOW)
    assert callbacks == []


def test_a_changed_answer_queues_settling(bea, lent, django_capture_on_commit_callbacks):
    annotation, _ = assignments.hand_in(bea, lent[0].pk, "yes", NOW)
    with django_capture_on_commit_callbacks() as callbacks:
        assignments.change(bea, annotation.pk, "no", NOW)
    assert len(callbacks) == 1


@pytest.mark.django_db(transaction=True)
def test_an_answer_that_was_rolled_back_queues_nothing(bea, lent):
    with transaction.atomic():
        assignments.hand_in(bea, lent[0].pk, "yes", NOW)
        transaction.set_rollback(True)
    assert queued(lent[0].task_id) == []
    assignments.hand_in(bea, lent[0].pk, "yes", NOW)
    assert queued(lent[0].task_id) == ["tagger.tasks.settle"]


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
def test_a_broker_that_is_away_costs_a_volunteer_neither_the_answer_nor_time(lent, same_site, tmp_path):
    """In a process of its own, whose broker is a socket that is not there; kombu's own retries take 6 s."""
    away = same_site | {
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
    assert tasks.sweep() == 2
    assert waiting() == []


def test_a_sweep_settles_what_the_broker_lost(handed_in, carl, juniper):
    for task in handed_in:
        Annotation.objects.create(task=task, annotator=carl, answer="yes", created_at=NOW)
        Task.objects.filter(pk=task.pk).update(annotation_count=2)
    assert tasks.sweep() == 2
    assert set(Task.objects.values_list("status", "plain_answer", "dirty_since")) == {
        ("settled", "yes", None)
    }


def test_a_sweep_leaves_to_the_queue_what_is_fresh(bea, lent):
    assignments.hand_in(bea, lent[0].pk, "yes", timezone.now() - tasks.LOST_AFTER / 2)
    assignments.hand_in(bea, lent[1].pk, "yes", timezone.now() - tasks.LOST_AFTER * 2)
    assert tasks.sweep() == 1
    assert waiting() == [lent[0].task_id]


def test_a_second_sweep_finds_nothing(handed_in):
    assert (tasks.sweep(), tasks.sweep()) == (2, 0)


@pytest.mark.django_db(transaction=True)
def test_a_sweep_outside_of_any_transaction_reads_and_writes_side_by_side(handed_in):
    assert tasks.sweep() == 2


def test_settling_a_task_that_is_gone_is_no_error(handed_in):
    gone = handed_in[0].pk
    Annotation.objects.all().delete()
    Task.objects.all().delete()
    assert tasks.settle(gone) is None


def test_settling_twice_is_settling_once(handed_in):
    for _ in range(2):
        tasks.settle(handed_in[0].pk)
    assert waiting() == [handed_in[1].pk]


def test_reclaiming_takes_back_what_ran_out(carl, lent, juniper, shelf):
    shelf(juniper, 1)
    assignments.lend(carl, juniper, 3, timezone.now())
    assert tasks.reclaim() == 2
    assert set(Assignment.objects.filter(state="lent").values_list("annotator", flat=True)) == {carl.pk}
    assert tasks.reclaim() == 0


def test_what_beat_sends_is_known_to_the_worker():
    sent = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert {"tagger.tasks.sweep", "tagger.tasks.reclaim"} <= sent <= set(app.tasks)


def test_a_sweep_comes_round_before_anybody_wonders():
    assert settings.CELERY_BEAT_SCHEDULE["sweep"]["schedule"] <= timedelta(seconds=30)
