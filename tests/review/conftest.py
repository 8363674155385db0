"""What tests of reviewing share."""

import pytest

from datasets.models import Annotation, Campaign, Task
from tagger.models import ReviewItem
from tagger.settling import settlement
from tests.conftest import NOW


@pytest.fixture
def disagree(volunteers):
    """Two volunteers disagree on a task and no more are asked. Returns the dispute over it."""

    def about(task, one, other, now=NOW):
        Campaign.objects.filter(pk=task.campaign_id).update(max_annotations=2)
        for person, answer in zip(volunteers, (one, other), strict=False):
            Annotation.objects.create(task=task, annotator=person, answer=answer, created_at=now)
        Task.objects.filter(pk=task.pk).update(annotation_count=2, dirty_since=now)
        settlement.settle(task.pk, now)
        return ReviewItem.objects.get(task=task)

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
