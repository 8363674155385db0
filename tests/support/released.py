"""Settled tasks and releases for tests."""

import re
from contextlib import contextmanager

import pytest

from accounts.models import Purpose
from accounts.refusals import in_words
from datasets.models import Clip, Task
from datasets.releases import freezing
from datasets.releases.formats import FORMATS
from datasets.releases.wording import WORDS
from tests.conftest import NOW

# The formats of a release whose speakers did not agree to speech synthesis.
WITHOUT_SYNTHESIS = [name for name in FORMATS if name != "ljspeech"]

SOFT = {"votes": {"yes": 2, "no": 0}, "shares": {"yes": 1.0, "no": 0.0}}


def settle(task, answer="yes"):
    """Settle the task as the worker does; the answer is encrypted if its campaign asks for words."""
    task = Task.objects.select_related("campaign", "clip__contributor__data_key").get(pk=task.pk)
    task.status, task.answer, task.soft, task.confidence = Task.Status.SETTLED, answer, SOFT, 0.9
    task.save()
    return task


def clear(*campaigns):
    """All clips of these campaigns are cleared for public releases; tests/review/test_checks.py says how."""
    Clip.objects.filter(tasks__campaign__in=campaigns).update(cleared_at=NOW)


def release(slug, *campaigns, **limits):
    """What a public release would lack only because nobody checked it is cleared first."""
    if limits.get("audience") == Purpose.PUBLIC:
        clear(*campaigns)
    return freezing.freeze(slug, campaigns, NOW, **limits).release


@contextmanager
def refused(kind, says):
    """The block raises a refusal of this kind, whose sentence matches `says`."""
    with pytest.raises(kind) as refusal:
        yield
    assert re.search(says, in_words(refusal.value, WORDS))
