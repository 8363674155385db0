"""Settled tasks and releases for tests."""

import re
from contextlib import contextmanager

import pytest

from accounts.refusals import in_words
from datasets.models import Task
from datasets.releases import frozen
from datasets.releases.wording import WORDS
from tests.conftest import NOW

SOFT = {"votes": {"yes": 2, "no": 0}, "shares": {"yes": 1.0, "no": 0.0}}


def settle(task, answer="yes"):
    """Settle the task as the worker does; the answer is encrypted if its campaign asks for words."""
    task = Task.objects.select_related("campaign", "clip__contributor__data_key").get(pk=task.pk)
    task.status, task.answer, task.soft, task.confidence = Task.Status.SETTLED, answer, SOFT, 0.9
    task.save()
    return task


def release(slug, *campaigns, **limits):
    return frozen.freeze(slug, campaigns, NOW, **limits).release


@contextmanager
def refused(kind, says):
    """The block raises a refusal of this kind, whose sentence matches `says`."""
    with pytest.raises(kind) as refusal:
        yield
    assert re.search(says, in_words(refusal.value, WORDS))
