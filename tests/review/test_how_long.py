"""A reviewer sees how long each voter had the clips that they were lent together."""

from datetime import timedelta

import pytest

from tagger.lending import assignments
from tagger.review import evidence
from tests.conftest import NOW

pytestmark = pytest.mark.django_db


def answer_all(lent, person, after):
    """One answer a second, the first after so many seconds."""
    for number, each in enumerate(lent):
        assignments.hand_in(person, each.pk, "yes", NOW + timedelta(seconds=after + number))


def test_a_vote_says_how_long_its_volunteer_had_the_clips(share, juniper, bea, carl):
    tasks = [share(juniper), share(juniper)]
    answer_all(assignments.lend(bea, juniper, 2, NOW), bea, after=4)
    answer_all(assignments.lend(carl, juniper, 1, NOW), carl, after=9)
    found = {}
    for task in tasks:
        for vote in evidence.of_task(task, NOW).votes:
            found.setdefault(vote.volunteer, []).append(vote.batch)
    together = sum(task.clip.seconds for task in tasks)
    for batch in found[bea.pk]:
        assert (batch.answers, batch.took) == (2, 5.0) and batch.seconds == pytest.approx(together)
    [batch] = found[carl.pk]
    assert (batch.answers, batch.took) == (1, 9.0)


def test_of_an_answer_that_was_not_lent_nothing_is_said(answered):
    assert all(vote.batch is None for vote in evidence.of_task(answered, NOW).votes)


@pytest.fixture
def answered(share, juniper, volunteers, now):
    task = share(juniper)
    task.annotations.create(annotator=volunteers[0], answer="yes", created_at=now)
    return task
