"""What tests of an owner's clips and people share: Olga owns the campaign juniper, and Otto another one."""

import pytest

from accounts.models import Role, User
from datasets.models import Annotation, Campaign, Task
from tagger.settling import settlement
from tests.conftest import NOW
from tests.support import factors


@pytest.fixture
def olga(db):
    return factors.give_factor(User.objects.create_user("olga", roles=[Role.ANNOTATOR, Role.OWNER]))


@pytest.fixture
def otto(db):
    return factors.give_factor(User.objects.create_user("otto", roles=[Role.ANNOTATOR, Role.OWNER]))


@pytest.fixture
def as_olga(client, olga):
    factors.log_in(client, olga)
    return client


@pytest.fixture
def hers(juniper, olga):
    return owned(juniper, olga)


@pytest.fixture
def texts(sentences, olga):
    """Her transcription campaign."""
    return owned(sentences, olga)


def owned(campaign, person):
    Campaign.objects.filter(pk=campaign.pk).update(owner=person)
    campaign.refresh_from_db()
    return campaign


@pytest.fixture
def answer(volunteers):
    """The volunteers, from the first one on, give these answers to the task, and it is settled."""

    def give(task, *answers, at=NOW):
        for person, said in zip(volunteers, answers, strict=False):
            Annotation.objects.create(task=task, annotator=person, answer=said, created_at=at)
        Task.objects.filter(pk=task.pk).update(annotation_count=len(answers), dirty_since=at)
        settlement.settle(task.pk, at)
        return Task.objects.select_related("campaign", "clip__contributor__data_key").get(pk=task.pk)

    return give
