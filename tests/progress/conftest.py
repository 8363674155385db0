"""What the tests of this room share: votes given and tasks settled at chosen times."""

from datetime import timedelta

import pytest

from datasets.models import Annotation, Task
from tests.conftest import NOW

DAY = timedelta(days=1)


@pytest.fixture
def give(juniper, add_tasks):
    """Stores a number of votes of one person at one time, each on its own clip."""

    def some(person, number, at=NOW, campaign=juniper):
        new_tasks = add_tasks(campaign, number)
        Annotation.objects.bulk_create(
            Annotation(task=task, annotator=person, plain_answer="yes", created_at=at) for task in new_tasks
        )
        return new_tasks

    return some


@pytest.fixture
def here(client, bea):
    """A browser in which Bea is logged in."""
    client.force_login(bea)
    return client


def settle(some, at=NOW):
    pks = [task.pk for task in some]
    Task.objects.filter(pk__in=pks).update(
        status="settled", plain_answer="yes", settled_at=at, annotation_count=2, confidence=0.9
    )


def drawn(client, page, **options):
    """The page's HTML, with every run of whitespace as one space."""
    return " ".join(client.get(page, **options).content.decode().split())
